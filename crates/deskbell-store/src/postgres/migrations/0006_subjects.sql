-- Which events are about a subject. Filled behind the log's end, in the background: an append that
-- wrote here too would take twice as long once the log is long.
CREATE TABLE deskbell.event_subjects (
    -- As `subject_key_v1` has it.
    subject text   COLLATE "C" NOT NULL,
    seq     bigint NOT NULL,
    PRIMARY KEY (subject, seq)
);

-- One row: the events up to this place are in `event_subjects`. Who indexes or deletes events locks
-- it, so that no row is left of an event that goes while it is indexed.
CREATE TABLE deskbell.subject_index (
    indexed_seq bigint NOT NULL
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX subject_index_one ON deskbell.subject_index ((true));
INSERT INTO deskbell.subject_index VALUES (0);

-- What a subject is indexed by: an index takes no text of more than some 2,700 bytes, and a log takes
-- any. Who searches compares the whole subject.
CREATE FUNCTION deskbell.subject_key_v1(subject text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT left(subject, 500) $$;

-- Indexes the next events, at most so many. How many there were, and whether there may be more. It
-- need not be on disk when it returns: what is lost with it is done again. Nothing is done where
-- another replica is about it. In the order of the index, neighbours are written together.
CREATE FUNCTION deskbell.index_subjects_v1(
    events_max bigint, OUT indexed bigint, OUT more boolean
)
LANGUAGE plpgsql AS $$
DECLARE
    former bigint;
    last bigint;
BEGIN
    SET LOCAL synchronous_commit = off;
    indexed := 0;
    more := true;
    SELECT indexed_seq INTO former FROM deskbell.subject_index FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT max(next.seq), count(*) INTO last, indexed FROM (
        SELECT own.seq FROM deskbell.events AS own
        WHERE own.seq > former ORDER BY own.seq LIMIT events_max
    ) AS next;
    IF indexed > 0 THEN
        INSERT INTO deskbell.event_subjects (subject, seq)
        SELECT deskbell.subject_key_v1(event.subject) AS key, event.seq
        FROM deskbell.events AS event
        WHERE event.seq > former AND event.seq <= last AND event.subject IS NOT NULL
        ORDER BY key, event.seq;
        UPDATE deskbell.subject_index SET indexed_seq = last;
    END IF;
    more := indexed = events_max;
END $$
SET lock_timeout = '3s'
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off;

-- The newest events about a subject before a place, or before the log's end: as many as fit, but at
-- least one where there is one, and the place before which to go on, null where there are no more.
-- A row without an event where there is none.
--
-- What is not indexed yet is read, at most so many places of it; the index is looked into once all
-- of that has been. All of it sees the log as it was when the statement began.
CREATE FUNCTION deskbell.about_v1(
    wanted text, before bigint, events_max bigint, bytes_max bigint, places_max bigint
) RETURNS TABLE (
    seq bigint, received_at_ms bigint, source text, message_id text, type text, subject text,
    occurred_at_ms bigint, instance_id text, payload bytea, older bigint
)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    indexed bigint := (SELECT own.indexed_seq FROM deskbell.subject_index AS own);
    last bigint := least((SELECT max(own.seq) FROM deskbell.events AS own), before - 1);
    passed bigint := greatest(indexed, last - places_max);
    places bigint[];
    found bigint;
    go_on bigint;
BEGIN
    SELECT array_agg(page.seq ORDER BY page.seq DESC) FILTER (WHERE page.bytes_before < bytes_max),
           count(*)
    INTO places, found
    FROM (
        SELECT event.seq, sum(event.bytes) OVER (ORDER BY event.seq DESC) - event.bytes
            AS bytes_before
        FROM (
            (SELECT own.seq, coalesce(octet_length(own.payload), 0) AS bytes
             FROM deskbell.events AS own
             WHERE own.seq > passed AND own.seq <= last AND own.subject = wanted
             ORDER BY own.seq DESC LIMIT events_max)
            UNION ALL
            (SELECT known.seq, coalesce(octet_length(own.payload), 0)
             FROM deskbell.event_subjects AS known
             CROSS JOIN LATERAL (
                 SELECT stored.subject, stored.payload FROM deskbell.events AS stored
                 WHERE stored.seq = known.seq OFFSET 0
             ) AS own
             WHERE passed = indexed AND known.seq <= last
                 AND known.subject = deskbell.subject_key_v1(wanted) AND own.subject = wanted
             ORDER BY known.seq DESC LIMIT events_max)
            ORDER BY seq DESC LIMIT events_max
        ) AS event
    ) AS page;
    go_on := CASE
        WHEN found = events_max OR cardinality(places) < found THEN places[cardinality(places)]
        WHEN passed > indexed THEN passed + 1
    END;
    RETURN QUERY
    SELECT event.seq, event.received_at_ms, event.source, event.message_id, event.type,
           event.subject, event.occurred_at_ms, event.instance_id, event.payload, go_on
    FROM (SELECT) AS at_least
    LEFT JOIN unnest(places) AS place (seq) ON true
    LEFT JOIN LATERAL (
        SELECT own.* FROM deskbell.events AS own WHERE own.seq = place.seq OFFSET 0
    ) AS event ON true
    ORDER BY event.seq DESC;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;

-- An event goes with its row here, whoever deletes it: a release that knows of no index does, too.
CREATE FUNCTION deskbell.forget_subjects_v1() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    -- Who indexes just now is waited for, and begins again when this has been committed.
    PERFORM FROM deskbell.subject_index FOR NO KEY UPDATE;
    DELETE FROM deskbell.event_subjects AS known USING deleted
    WHERE known.subject = deskbell.subject_key_v1(deleted.subject) AND known.seq = deleted.seq;
    RETURN NULL;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;
CREATE TRIGGER forget_subjects AFTER DELETE ON deskbell.events
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION deskbell.forget_subjects_v1();
