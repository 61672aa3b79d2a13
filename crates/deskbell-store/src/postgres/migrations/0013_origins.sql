-- How an event came; null for a signed request. Appends wait for this, and it for whoever reads the
-- table just now: it gives up before they do, and whoever migrates tries again.
SET LOCAL lock_timeout = '2s';
ALTER TABLE deskbell.events ADD COLUMN origin text COLLATE "C";
SET LOCAL lock_timeout = '60s';

-- `append_v1`, or `append_naming_v1` if people are given, of a batch in which some events did not come
-- by a signed request.
CREATE FUNCTION deskbell.append_with_origins_v1(
    now bigint, sources text[], message_ids text[], types text[], subjects text[],
    occurred bigint[], instance_ids text[], payloads bytea[], people text[], naming integer[],
    origins text[], OUT places bigint[], OUT fresh boolean[]
)
LANGUAGE plpgsql VOLATILE
SET lock_timeout = '3s'
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
    now_ms bigint;
BEGIN
    -- An event is acknowledged when it is on disk, whatever the database's default.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    PERFORM FROM deskbell.log FOR NO KEY UPDATE;
    now_ms := coalesce(now, deskbell.now_ms());
    SELECT numbered.places, numbered.fresh INTO places, fresh
    FROM deskbell.number_v1(deskbell.head_v1(), sources, message_ids) AS numbered;

    INSERT INTO deskbell.events (
        seq, occurred_at_ms, received_at_ms, source, message_id, type, subject, instance_id, payload,
        origin
    )
    SELECT b.seq, b.occurred, now_ms, b.source, b.message_id, b.type, b.subject, b.instance_id,
           b.payload, b.origin
    FROM unnest(
        places, fresh, sources, message_ids, types, subjects, occurred, instance_ids, payloads,
        origins
    ) AS b (seq, is_new, source, message_id, type, subject, occurred, instance_id, payload, origin)
    WHERE b.is_new;

    IF false = ANY (fresh) THEN
        INSERT INTO deskbell.replay_requests (seq, requested_at_ms)
        SELECT b.seq, now_ms FROM unnest(places, fresh) AS b (seq, is_new) WHERE NOT b.is_new;
    END IF;

    IF people IS NOT NULL THEN
        INSERT INTO deskbell.event_people (person, seq)
        SELECT named.person, places[named.nth]
        FROM unnest(people, naming) AS named (person, nth) WHERE fresh[named.nth]
        ON CONFLICT DO NOTHING;
        INSERT INTO deskbell.erasures (seq, "user")
        SELECT b.seq, b.subject
        FROM unnest(places, fresh, types, subjects) AS b (seq, is_new, type, subject)
        WHERE b.is_new AND b.type = 'user.deleted' AND b.subject IS NOT NULL;
    END IF;
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
