-- Lists of events, attempts and deliveries. They are functions so that the planner has one way to go:
-- along an index, from the newest on, and no further than the list is long. Statistics of a table that
-- grows fast would have it read and sort the whole of a range.

-- The events after one place, up to and including another, of a source and of these types or those that
-- begin so, the newest first. No payload is read, however long.
CREATE FUNCTION deskbell.heads_v1(
    after bigint, up_to bigint, only_source text, exact text[], prefixes text[], events_max bigint
) RETURNS TABLE (
    seq bigint, received_at_ms bigint, source text, message_id text, type text, subject text,
    occurred_at_ms bigint, instance_id text, payload_bytes bigint, origin text
)
LANGUAGE sql STABLE AS $$
    SELECT own.seq, own.received_at_ms, own.source, own.message_id, own.type, own.subject,
           own.occurred_at_ms, own.instance_id, coalesce(octet_length(own.payload), 0)::bigint,
           own.origin
    FROM deskbell.events AS own
    WHERE own.seq > after AND own.seq <= up_to AND (only_source IS NULL OR own.source = only_source)
        AND (exact IS NULL OR own.type = ANY (exact) OR own.type ^@ ANY (prefixes))
    ORDER BY own.seq DESC LIMIT events_max;
$$
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- The newest attempts before a place, of one destination if it is given: those of its that are among so
-- many of any. Each without an event if that has left the log; or one row without an attempt. `passed`
-- is where to go on if so many were looked through and these are fewer than were asked for. No row if
-- the destination is not known.
CREATE FUNCTION deskbell.newest_attempts_v1(
    only_destination text, before_ms bigint, before_destination bigint, before_seq bigint,
    before_number bigint, attempts_max bigint, scanned_max bigint
) RETURNS TABLE (
    name text, number integer, started_at_ms bigint, duration_ms bigint, status integer, error text,
    reply bytea, seq bigint, received_at_ms bigint, source text, message_id text, type text,
    subject text, occurred_at_ms bigint, instance_id text, payload_bytes bigint, origin text,
    place text, passed text
)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    only_id integer := (SELECT own.id FROM deskbell.destinations AS own
                        WHERE own.name = only_destination);
    ids integer[];
    seqs bigint[];
    numbers integer[];
    go_on text;
BEGIN
    IF only_destination IS NOT NULL AND only_id IS NULL THEN
        RETURN;
    END IF;
    SELECT array_agg(page.destination_id), array_agg(page.seq), array_agg(page.number)
    INTO ids, seqs, numbers
    FROM (
        SELECT looked.destination_id, looked.seq, looked.number
        FROM (
            SELECT own.destination_id, own.seq, own.number FROM deskbell.attempts AS own
            WHERE own.started_at_ms <= before_ms
                AND (own.started_at_ms, own.destination_id, own.seq, own.number)
                    < (before_ms, before_destination, before_seq, before_number)
            ORDER BY own.started_at_ms DESC, own.destination_id DESC, own.seq DESC, own.number DESC
            LIMIT scanned_max
        ) AS looked
        WHERE only_destination IS NULL OR looked.destination_id = only_id
        LIMIT attempts_max
    ) AS page;
    IF coalesce(cardinality(seqs), 0) < attempts_max THEN
        SELECT concat_ws('.', own.started_at_ms, own.destination_id, own.seq, own.number) INTO go_on
        FROM deskbell.attempts AS own
        WHERE own.started_at_ms <= before_ms
            AND (own.started_at_ms, own.destination_id, own.seq, own.number)
                < (before_ms, before_destination, before_seq, before_number)
        ORDER BY own.started_at_ms DESC, own.destination_id DESC, own.seq DESC, own.number DESC
        OFFSET scanned_max - 1 LIMIT 1;
    END IF;
    RETURN QUERY
    SELECT destination.name, made.number, made.started_at_ms, made.duration_ms, made.status,
           made.error, made.reply, event.seq, event.received_at_ms, event.source, event.message_id,
           event.type, event.subject, event.occurred_at_ms, event.instance_id, event.payload_bytes,
           event.origin,
           concat_ws('.', made.started_at_ms, wanted.destination_id, wanted.seq, wanted.number),
           go_on
    FROM (SELECT) AS at_least
    LEFT JOIN unnest(ids, seqs, numbers) WITH ORDINALITY
        AS wanted (destination_id, seq, number, nth) ON true
    LEFT JOIN LATERAL (
        SELECT own.name FROM deskbell.destinations AS own
        WHERE own.id = wanted.destination_id OFFSET 0
    ) AS destination ON true
    LEFT JOIN LATERAL (
        SELECT own.number, own.started_at_ms, own.duration_ms, own.status, own.error, own.reply
        FROM deskbell.attempts AS own
        WHERE own.destination_id = wanted.destination_id AND own.seq = wanted.seq
            AND own.number = wanted.number OFFSET 0
    ) AS made ON true
    LEFT JOIN LATERAL (
        SELECT own.seq, own.received_at_ms, own.source, own.message_id, own.type, own.subject,
               own.occurred_at_ms, own.instance_id,
               coalesce(octet_length(own.payload), 0)::bigint AS payload_bytes, own.origin
        FROM deskbell.events AS own WHERE own.seq = wanted.seq OFFSET 0
    ) AS event ON true
    ORDER BY wanted.nth;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- The attempts of each bucket of a time, and those of other destinations, without one: the newest of
-- that time, no more than so many.
CREATE FUNCTION deskbell.count_attempts_v1(
    destination text, since_ms bigint, until_ms bigint, buckets bigint, scanned_max bigint
) RETURNS TABLE (bucket bigint, delivered bigint, failed bigint)
LANGUAGE sql STABLE AS $$
    SELECT looked.bucket, count(*) FILTER (WHERE looked.delivered),
           count(*) FILTER (WHERE NOT looked.delivered)
    FROM (
        SELECT own.error IS NULL AS delivered,
               CASE WHEN own.destination_id = (SELECT known.id FROM deskbell.destinations AS known
                                               WHERE known.name = destination)
                    THEN (own.started_at_ms - since_ms) * buckets / (until_ms - since_ms)
               END AS bucket
        FROM deskbell.attempts AS own
        WHERE own.started_at_ms >= since_ms AND own.started_at_ms < until_ms
        ORDER BY own.started_at_ms DESC LIMIT scanned_max
    ) AS looked
    GROUP BY looked.bucket;
$$
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- The newest events before a place with a pending or a dead-lettered delivery, of one destination if it
-- is given.
CREATE FUNCTION deskbell.events_in_state_v1(
    are_pending boolean, only_destination text, before bigint, events_max bigint
) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF are_pending THEN
        RETURN QUERY
        SELECT DISTINCT newest.seq
        FROM deskbell.destinations AS destination
        CROSS JOIN LATERAL (
            SELECT own.seq FROM deskbell.deliveries AS own
            WHERE own.destination_id = destination.id AND own.seq < before
            ORDER BY own.destination_id DESC, own.seq DESC LIMIT events_max
        ) AS newest
        WHERE only_destination IS NULL OR destination.name = only_destination
        ORDER BY newest.seq DESC LIMIT events_max;
    ELSE
        RETURN QUERY
        SELECT DISTINCT newest.seq
        FROM deskbell.destinations AS destination
        CROSS JOIN LATERAL (
            SELECT own.seq FROM deskbell.settled_deliveries AS own
            WHERE own.destination_id = destination.id AND own.state = 'dead_lettered'
                AND own.seq < before
            ORDER BY own.destination_id DESC, own.seq DESC LIMIT events_max
        ) AS newest
        WHERE only_destination IS NULL OR destination.name = only_destination
        ORDER BY newest.seq DESC LIMIT events_max;
    END IF;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;

-- How many deliveries of each of these events are in each state; events without any are left out.
CREATE FUNCTION deskbell.count_deliveries_v1(seqs bigint[])
RETURNS TABLE (seq bigint, pending bigint, delivered bigint, dead_lettered bigint)
LANGUAGE sql STABLE AS $$
    SELECT wanted.seq, count(*) FILTER (WHERE found.state = 'pending'),
           count(*) FILTER (WHERE found.state = 'delivered'),
           count(*) FILTER (WHERE found.state = 'dead_lettered')
    FROM unnest(seqs) AS wanted (seq)
    CROSS JOIN deskbell.destinations AS destination
    CROSS JOIN LATERAL (
        (SELECT 'pending' AS state FROM deskbell.deliveries AS own
         WHERE own.destination_id = destination.id AND own.seq = wanted.seq OFFSET 0)
        UNION ALL
        (SELECT own.state FROM deskbell.settled_deliveries AS own
         WHERE own.destination_id = destination.id AND own.seq = wanted.seq OFFSET 0)
    ) AS found
    GROUP BY wanted.seq ORDER BY wanted.seq;
$$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;
