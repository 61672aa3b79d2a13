-- Deletes a destination with all that belongs to it, at most so many rows. Whether there is more to
-- do. What is pending goes first, so that none of it is delivered meanwhile.
CREATE FUNCTION deskbell.remove_destination_v1(destination text, rows_max bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    known_id integer;
    rows_left bigint := greatest(rows_max, 1);
    removed bigint;
BEGIN
    SELECT id INTO known_id FROM deskbell.destinations WHERE name = destination FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM deskbell.lock_alone_v1(known_id);
    DELETE FROM deskbell.deliveries WHERE destination_id = known_id AND seq <= (
        SELECT max(first.seq) FROM (
            SELECT own.seq FROM deskbell.deliveries AS own
            WHERE own.destination_id = known_id ORDER BY own.seq LIMIT rows_left
        ) AS first);
    GET DIAGNOSTICS removed = ROW_COUNT;
    rows_left := rows_left - removed;
    IF rows_left > 0 THEN
        DELETE FROM deskbell.settled_deliveries WHERE destination_id = known_id AND seq <= (
            SELECT max(first.seq) FROM (
                SELECT own.seq FROM deskbell.settled_deliveries AS own
                WHERE own.destination_id = known_id ORDER BY own.seq LIMIT rows_left
            ) AS first);
        GET DIAGNOSTICS removed = ROW_COUNT;
        rows_left := rows_left - removed;
    END IF;
    IF rows_left > 0 THEN
        DELETE FROM deskbell.attempts WHERE ctid = ANY (ARRAY (
            SELECT own.ctid FROM deskbell.attempts AS own
            WHERE own.destination_id = known_id ORDER BY own.seq, own.number LIMIT rows_left));
        GET DIAGNOSTICS removed = ROW_COUNT;
        rows_left := rows_left - removed;
    END IF;
    IF rows_left > 0 THEN
        DELETE FROM deskbell.destinations WHERE id = known_id;
    END IF;
    RETURN rows_left <= 0;
END $$
SET lock_timeout = '3s'
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;
