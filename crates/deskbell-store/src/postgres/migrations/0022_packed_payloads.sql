-- Payloads that are stored compressed: `payload_bytes` is such a one's length; null where the payload is
-- stored as it is. A compressed one lies in its row, and is not compressed a second time.
ALTER TABLE deskbell.events ADD COLUMN payload_bytes integer;

-- Since when payloads are compressed; null before that.
ALTER TABLE deskbell.log ADD COLUMN packs_since_ms bigint;

-- The replicas that were seen, by the names under which they hold leases, and whether they can read a
-- compressed payload. Those of the release before this one write nothing here: they are seen when they
-- ask for a lease, as each of them does every second.
CREATE TABLE deskbell.replicas (
    name       text    COLLATE "C" PRIMARY KEY,
    unpacks    boolean NOT NULL,
    seen_at_ms bigint  NOT NULL
);

-- How long a payload is, compressed or not; 0 if it was pruned. Does not fetch it.
CREATE FUNCTION deskbell.length_v1(payload bytea, payload_bytes integer) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(payload) > 0
        THEN coalesce(payload_bytes, octet_length(payload)) ELSE 0 END::bigint
$$;

-- A replica that cannot read what others have compressed must not go on.
CREATE FUNCTION deskbell.refuse_old_release_v1() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT packs_since_ms FROM deskbell.log) IS NOT NULL THEN
        RAISE EXCEPTION 'this release of deskbell cannot read the payloads in this store; start the newer release in its place'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
END $$;

-- Notes who asks for a lease, also where somebody else has it. A replica of this release is known.
CREATE FUNCTION deskbell.note_replica_v1() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := deskbell.now_ms();
BEGIN
    IF NEW.holder IS NULL OR EXISTS (
        SELECT FROM deskbell.replicas WHERE name = NEW.holder AND unpacks
    ) THEN
        RETURN NEW;
    END IF;
    PERFORM deskbell.refuse_old_release_v1();
    INSERT INTO deskbell.replicas AS known (name, unpacks, seen_at_ms)
    VALUES (NEW.holder, false, now_ms)
    ON CONFLICT (name) DO UPDATE SET seen_at_ms = excluded.seen_at_ms
    WHERE known.seen_at_ms < now_ms - 1000;
    RETURN NEW;
END $$;
CREATE TRIGGER note_replica BEFORE INSERT ON deskbell.consumers
    FOR EACH ROW EXECUTE FUNCTION deskbell.note_replica_v1();

-- The heartbeat of a replica that reads compressed payloads. Whether they may be written: from when no
-- replica that cannot read them has been seen for a minute. A store that this release or a later one has
-- made was never seen by another.
CREATE FUNCTION deskbell.heartbeat_v1(replica text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := deskbell.now_ms();
    migrated_at timestamptz := (SELECT max(own.migrated_at) FROM deskbell.migrations AS own
                                WHERE own.version <= 22);
BEGIN
    INSERT INTO deskbell.replicas (name, unpacks, seen_at_ms) VALUES (replica, true, now_ms)
    ON CONFLICT (name) DO UPDATE SET unpacks = true, seen_at_ms = excluded.seen_at_ms;
    IF EXISTS (SELECT FROM deskbell.log WHERE packs_since_ms IS NOT NULL) THEN
        DELETE FROM deskbell.replicas WHERE seen_at_ms < now_ms - 86400000;
        RETURN true;
    END IF;
    IF migrated_at <> (SELECT min(own.migrated_at) FROM deskbell.migrations AS own) AND (
        migrated_at > clock_timestamp() - interval '1 minute'
        OR EXISTS (SELECT FROM deskbell.replicas WHERE NOT unpacks AND seen_at_ms > now_ms - 60000)
    ) THEN
        RETURN false;
    END IF;
    UPDATE deskbell.log SET packs_since_ms = now_ms WHERE packs_since_ms IS NULL;
    RETURN true;
END $$;

-- What the release before this one claims and searches with.
ALTER FUNCTION deskbell.claim_v2(bigint, text, bigint, bigint, bigint) RENAME TO claim_unpacked_v2;
CREATE FUNCTION deskbell.claim_v2(
    manual_ms bigint, destination text, deliveries_max bigint, bytes_max bigint, lease_ms bigint
) RETURNS TABLE (
    seq bigint, received_at_ms bigint, source text, message_id text, type text, subject text,
    occurred_at_ms bigint, instance_id text, payload bytea, origin text, attempts integer,
    first_attempt_at_ms bigint, due_at_ms bigint, number bigint, now_ms bigint
)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM deskbell.refuse_old_release_v1();
    RETURN QUERY SELECT * FROM deskbell.claim_unpacked_v2(
        manual_ms, destination, deliveries_max, bytes_max, lease_ms);
END $$;
ALTER FUNCTION deskbell.about_v2(text, bigint, bigint, bigint, bigint) RENAME TO about_unpacked_v2;
CREATE FUNCTION deskbell.about_v2(
    wanted text, before bigint, events_max bigint, bytes_max bigint, places_max bigint
) RETURNS TABLE (
    seq bigint, received_at_ms bigint, source text, message_id text, type text, subject text,
    occurred_at_ms bigint, instance_id text, payload bytea, origin text, older bigint
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM deskbell.refuse_old_release_v1();
    RETURN QUERY SELECT * FROM deskbell.about_unpacked_v2(
        wanted, before, events_max, bytes_max, places_max);
END $$;

-- `append_with_origins_v2`, and the lengths of the payloads that are compressed; and how long another
-- replica's append was waited for.
CREATE FUNCTION deskbell.append_v3(
    now bigint, sources text[], message_ids text[], types text[], subjects text[],
    occurred bigint[], instance_ids text[], payloads bytea[], lengths integer[],
    people text[], naming integer[], origins text[], OUT places bigint[], OUT fresh boolean[],
    OUT waited_us bigint
)
LANGUAGE plpgsql VOLATILE
SET lock_timeout = '3s'
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
    now_ms bigint;
    asked_at timestamptz := clock_timestamp();
BEGIN
    -- An event is acknowledged when it is on disk, whatever the database's default.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    PERFORM FROM deskbell.log FOR NO KEY UPDATE;
    waited_us := extract(epoch FROM clock_timestamp() - asked_at) * 1000000;
    now_ms := coalesce(now, deskbell.now_ms());
    SELECT numbered.places, numbered.fresh INTO places, fresh
    FROM deskbell.number_v1(deskbell.head_v1(), sources, message_ids) AS numbered;

    INSERT INTO deskbell.events (
        seq, occurred_at_ms, received_at_ms, source, message_id, type, subject, instance_id, payload,
        origin, payload_bytes
    )
    SELECT b.seq, b.occurred, now_ms, b.source, b.message_id, b.type, b.subject, b.instance_id,
           b.payload, b.origin, b.length
    FROM unnest(
        places, fresh, sources, message_ids, types, subjects, occurred, instance_ids, payloads,
        origins, lengths
    ) AS b (seq, is_new, source, message_id, type, subject, occurred, instance_id, payload, origin,
            length)
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
        FROM unnest(places, fresh, types, subjects, origins) AS b (seq, is_new, type, subject, origin)
        WHERE b.is_new AND b.type = 'user.deleted' AND b.subject IS NOT NULL
            AND (b.origin IS NULL OR b.origin = 'sender_record');
    END IF;
END $$;

-- `claim_v2`, and the payloads' lengths.
CREATE FUNCTION deskbell.claim_v3(
    manual_ms bigint, destination text, deliveries_max bigint, bytes_max bigint, lease_ms bigint
) RETURNS TABLE (
    seq bigint, received_at_ms bigint, source text, message_id text, type text, subject text,
    occurred_at_ms bigint, instance_id text, payload bytea, origin text, payload_bytes integer,
    attempts integer, first_attempt_at_ms bigint, due_at_ms bigint, number bigint, now_ms bigint
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
               sum(deskbell.length_v1(event.payload, event.payload_bytes)) OVER (
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before
        FROM waiting LEFT JOIN deskbell.events AS event ON event.seq = waiting.seq
    )
    UPDATE deskbell.deliveries AS pending
    SET claim_number = claim, leased_until_ms = at_ms + lease_ms
    FROM sized
    WHERE pending.ctid = sized.place AND coalesce(sized.bytes_before, 0) < bytes_max
    RETURNING pending.seq, sized.received_at_ms, sized.source, sized.message_id, sized.type,
        sized.subject, sized.occurred_at_ms, sized.instance_id, sized.payload, sized.origin,
        sized.payload_bytes, pending.attempts, pending.first_attempt_at_ms, pending.due_at_ms, claim, at_ms;
    due_at_ms := (
        SELECT free.due_at_ms FROM deskbell.deliveries AS free
        WHERE free.destination_id = known_id AND NOT free.blocked AND free.leased_until_ms <= at_ms
        ORDER BY free.due_at_ms, free.seq LIMIT 1);
    now_ms := at_ms;
    RETURN NEXT;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- `about_v2`, and the payloads' lengths.
CREATE FUNCTION deskbell.about_v3(
    wanted text, before bigint, events_max bigint, bytes_max bigint, places_max bigint
) RETURNS TABLE (
    seq bigint, received_at_ms bigint, source text, message_id text, type text, subject text,
    occurred_at_ms bigint, instance_id text, payload bytea, origin text,
    payload_bytes integer, older bigint
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
            (SELECT own.seq, deskbell.length_v1(own.payload, own.payload_bytes) AS bytes
             FROM deskbell.events AS own
             WHERE own.seq > passed AND own.seq <= last AND own.subject = wanted
             ORDER BY own.seq DESC LIMIT events_max)
            UNION ALL
            (SELECT known.seq, deskbell.length_v1(own.payload, own.payload_bytes)
             FROM deskbell.event_subjects AS known
             CROSS JOIN LATERAL (
                 SELECT stored.subject, stored.payload, stored.payload_bytes
                 FROM deskbell.events AS stored
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
           event.payload_bytes, go_on
    FROM (SELECT) AS at_least
    LEFT JOIN unnest(places) AS place (seq) ON true
    LEFT JOIN LATERAL (
        SELECT own.* FROM deskbell.events AS own WHERE own.seq = place.seq OFFSET 0
    ) AS event ON true
    ORDER BY event.seq DESC;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;

-- `naming_v1`, and the payloads' lengths.
CREATE FUNCTION deskbell.naming_v2(named text, names text[])
RETURNS TABLE (seq bigint, message_id text, is_owed boolean, payload bytea, payload_bytes integer)
LANGUAGE sql STABLE AS $$
    SELECT event.seq, event.message_id, deskbell.is_owed_v1(names, event.seq),
           CASE WHEN event.subject = named AND event.type LIKE 'user.%' THEN event.payload END,
           event.payload_bytes
    FROM deskbell.event_people AS people
    CROSS JOIN LATERAL (
        SELECT own.seq, own.message_id, own.subject, own.type, own.payload,
               own.payload_bytes
        FROM deskbell.events AS own WHERE own.seq = people.seq OFFSET 0
    ) AS event
    WHERE people.person = named ORDER BY people.seq;
$$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;

-- As before, with the lengths of payloads that are compressed.
CREATE OR REPLACE FUNCTION deskbell.heads_v1(
    after bigint, up_to bigint, only_source text, exact text[], prefixes text[], events_max bigint
) RETURNS TABLE (
    seq bigint, received_at_ms bigint, source text, message_id text, type text, subject text,
    occurred_at_ms bigint, instance_id text, payload_bytes bigint, origin text
)
LANGUAGE sql STABLE AS $$
    SELECT own.seq, own.received_at_ms, own.source, own.message_id, own.type, own.subject,
           own.occurred_at_ms, own.instance_id, deskbell.length_v1(own.payload, own.payload_bytes),
           own.origin
    FROM deskbell.events AS own
    WHERE own.seq > after AND own.seq <= up_to AND (only_source IS NULL OR own.source = only_source)
        AND (exact IS NULL OR own.type = ANY (exact) OR own.type ^@ ANY (prefixes))
    ORDER BY own.seq DESC LIMIT events_max;
$$
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

CREATE OR REPLACE FUNCTION deskbell.newest_attempts_v1(
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
               deskbell.length_v1(own.payload, own.payload_bytes) AS payload_bytes, own.origin
        FROM deskbell.events AS own WHERE own.seq = wanted.seq OFFSET 0
    ) AS event ON true
    ORDER BY wanted.nth;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;
