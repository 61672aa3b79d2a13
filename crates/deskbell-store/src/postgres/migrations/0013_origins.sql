-- How an event came; null for a signed request.
ALTER TABLE deskbell.events ADD COLUMN origin text COLLATE "C";

-- `append_v1`, or `append_naming_v1` if people are given, of a batch in which some events did not come
-- by a signed request. These are few.
CREATE FUNCTION deskbell.append_of_v1(
    now bigint, sources text[], message_ids text[], types text[], subjects text[],
    occurred bigint[], instance_ids text[], payloads bytea[], people text[], naming integer[],
    origins text[], OUT places bigint[], OUT fresh boolean[]
)
LANGUAGE plpgsql VOLATILE
SET lock_timeout = '3s'
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
    IF people IS NULL THEN
        SELECT appended.places, appended.fresh INTO places, fresh
        FROM deskbell.append_v1(
            now, sources, message_ids, types, subjects, occurred, instance_ids, payloads
        ) AS appended;
    ELSE
        SELECT appended.places, appended.fresh INTO places, fresh
        FROM deskbell.append_naming_v1(
            now, sources, message_ids, types, subjects, occurred, instance_ids, payloads, people,
            naming
        ) AS appended;
    END IF;
    UPDATE deskbell.events AS event SET origin = b.origin
    FROM unnest(places, fresh, origins) AS b (seq, is_new, origin)
    WHERE event.seq = b.seq AND b.is_new AND b.origin IS NOT NULL;
END $$;

-- `claim_v1`, and the events' origins.
CREATE FUNCTION deskbell.claim_v2(
    manual_ms bigint, destination text, deliveries_max bigint, bytes_max bigint, lease_ms bigint
) RETURNS TABLE (
    seq bigint, received_at_ms bigint, source text, message_id text, type text, subject text,
    occurred_at_ms bigint, instance_id text, payload bytea, origin text, attempts integer,
    first_attempt_at_ms bigint, due_at_ms bigint, number bigint, now_ms bigint
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    at_ms bigint := coalesce(manual_ms, deskbell.now_ms());
    known_id integer;
    claim bigint;
BEGIN
    SET LOCAL synchronous_commit = off;
    SELECT id INTO known_id FROM deskbell.destinations WHERE name = destination;
    -- Never the number of a claim that a crash of the database took back, as a sequence's might be.
    claim := deskbell.now_ms() * 1000 + nextval('deskbell.claim_numbers') % 1000;
    RETURN QUERY
    WITH waiting AS MATERIALIZED (
        SELECT free.ctid AS place, free.seq FROM deskbell.deliveries AS free
        WHERE free.destination_id = known_id AND NOT free.blocked
            AND free.due_at_ms <= at_ms AND free.leased_until_ms <= at_ms
        ORDER BY free.due_at_ms, free.seq LIMIT deliveries_max
        FOR UPDATE SKIP LOCKED
    ), sized AS MATERIALIZED (
        -- In the order in which they come: the longest due first.
        SELECT waiting.place, event.*,
               sum(octet_length(event.payload)) OVER (
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
        FROM waiting LEFT JOIN deskbell.events AS event ON event.seq = waiting.seq
    )
    UPDATE deskbell.deliveries AS pending
    SET claim_number = claim, leased_until_ms = at_ms + lease_ms
    FROM sized
    WHERE pending.ctid = sized.place AND coalesce(sized.bytes_before, 0) < bytes_max
    RETURNING pending.seq, sized.received_at_ms, sized.source, sized.message_id, sized.type,
        sized.subject, sized.occurred_at_ms, sized.instance_id, sized.payload, sized.origin,
        pending.attempts, pending.first_attempt_at_ms, pending.due_at_ms, claim, at_ms;
    due_at_ms := (
        SELECT free.due_at_ms FROM deskbell.deliveries AS free
        WHERE free.destination_id = known_id AND NOT free.blocked AND free.leased_until_ms <= at_ms
        ORDER BY free.due_at_ms, free.seq LIMIT 1);
    now_ms := at_ms;
    RETURN NEXT;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- `about_v1`, and the events' origins.
CREATE FUNCTION deskbell.about_v2(
    wanted text, before bigint, events_max bigint, bytes_max bigint, places_max bigint
) RETURNS TABLE (
    seq bigint, received_at_ms bigint, source text, message_id text, type text, subject text,
    occurred_at_ms bigint, instance_id text, payload bytea, origin text,
    older bigint
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
           event.subject, event.occurred_at_ms, event.instance_id, event.payload, event.origin,
           go_on
    FROM (SELECT) AS at_least
    LEFT JOIN unnest(places) AS place (seq) ON true
    LEFT JOIN LATERAL (
        SELECT own.* FROM deskbell.events AS own WHERE own.seq = place.seq OFFSET 0
    ) AS event ON true
    ORDER BY event.seq DESC;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;
