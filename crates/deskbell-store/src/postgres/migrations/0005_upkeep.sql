-- One row: payloads up to this place have been emptied, so that nobody looks there again. Who prunes
-- locks it, and another replica leaves it to that one.
CREATE TABLE deskbell.upkeep (
    payloads_emptied_seq bigint NOT NULL
);
CREATE UNIQUE INDEX upkeep_one ON deskbell.upkeep ((true));
INSERT INTO deskbell.upkeep VALUES (0);

-- One-time codes that are still in the log: few, since they leave it after a day. By time, so that
-- no other index can be taken for it.
CREATE INDEX events_one_time_codes ON deskbell.events (received_at_ms, seq)
    WHERE type IN ('email.created', 'sms.created') AND octet_length(payload) > 0;

-- A replay request goes with its event.
CREATE INDEX replay_requests_seq ON deskbell.replay_requests (seq);

-- The oldest go first. A BRIN index would cost less to write, and soon point everywhere: the room
-- that old attempts leave is taken by new ones, and what it says about a page only grows.
CREATE INDEX attempts_started ON deskbell.attempts (started_at_ms);

-- Whom events name, by id or email address: only where people are to be erased.
CREATE TABLE deskbell.event_people (
    person text   COLLATE "C" NOT NULL,
    seq    bigint NOT NULL,
    PRIMARY KEY (person, seq)
);

CREATE INDEX event_people_seq ON deskbell.event_people (seq);

-- Users who are gone, by the event that said so. A row stays as long as that event: something that
-- names the user may still come.
CREATE TABLE deskbell.erasures (
    seq    bigint PRIMARY KEY,
    "user" text   COLLATE "C" NOT NULL
);

-- `append_v1`, and what the new ones among the events say about whom: each person with the number of
-- the event in the batch.
CREATE FUNCTION deskbell.append_naming_v1(
    now bigint, sources text[], message_ids text[], types text[], subjects text[],
    occurred bigint[], instance_ids text[], payloads bytea[], people text[], naming integer[],
    OUT places bigint[], OUT fresh boolean[]
)
LANGUAGE plpgsql VOLATILE
SET lock_timeout = '3s'
SET enable_seqscan = off
SET jit = off
AS $$
BEGIN
    SELECT appended.places, appended.fresh INTO places, fresh
    FROM deskbell.append_v1(
        now, sources, message_ids, types, subjects, occurred, instance_ids, payloads
    ) AS appended;
    INSERT INTO deskbell.event_people (person, seq)
    SELECT named.person, places[named.nth]
    FROM unnest(people, naming) AS named (person, nth) WHERE fresh[named.nth]
    ON CONFLICT DO NOTHING;
    INSERT INTO deskbell.erasures (seq, "user")
    SELECT b.seq, b.subject
    FROM unnest(places, fresh, types, subjects) AS b (seq, is_new, type, subject)
    WHERE b.is_new AND b.type = 'user.deleted' AND b.subject IS NOT NULL;
END $$;

-- Whether one of these destinations is still owed the event.
CREATE FUNCTION deskbell.is_owed_v1(names text[], place bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM deskbell.destinations AS known
        CROSS JOIN LATERAL (
            SELECT FROM deskbell.deliveries AS own
            WHERE own.destination_id = known.id AND own.seq = place OFFSET 0
        ) AS pending
        WHERE known.name = ANY (names));
$$;

-- Locks the events from one place to another. How far they may be changed: up to the first that one
-- of these destinations is owed, or has not come to. What was revived before the lock is seen, and
-- nothing is revived behind it.
CREATE FUNCTION deskbell.lock_events_v1(names text[], first bigint, last bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM deskbell.events WHERE seq BETWEEN first AND last
    ORDER BY seq FOR NO KEY UPDATE;
    RETURN (
        SELECT least(last, min(known.routed_seq), min(open.seq) - 1)
        FROM deskbell.destinations AS known
        CROSS JOIN LATERAL (
            SELECT min(pending.seq) AS seq FROM deskbell.deliveries AS pending
            WHERE pending.destination_id = known.id
        ) AS open
        WHERE known.name = ANY (names));
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- Makes dead letters of what all but these destinations are owed of the events at these places, or,
-- where there are none, of those up to the last one. How many.
CREATE FUNCTION deskbell.give_up_v1(now_ms bigint, names text[], last bigint, places bigint[])
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    known record;
    is_ordered boolean;
    owed bigint[];
    subjects text[];
    leases_ms bigint[];
    gone_here bigint;
    given_up bigint := 0;
BEGIN
    FOR known IN
        SELECT id FROM deskbell.destinations WHERE name <> ALL (names) ORDER BY id
    LOOP
        is_ordered := deskbell.lock_alone_v1(known.id);
        owed := places;
        IF owed IS NULL THEN
            SELECT array_agg(pending.seq) INTO owed FROM deskbell.deliveries AS pending
            WHERE pending.destination_id = known.id AND pending.seq <= last;
        END IF;
        WITH gone AS (
            DELETE FROM deskbell.deliveries
            WHERE destination_id = known.id AND seq = ANY (owed)
            RETURNING seq, subject, attempts_total, leased_until_ms
        ), kept AS (
            INSERT INTO deskbell.settled_deliveries (destination_id, seq, settled_at_ms,
                attempts_total, state, reason, source, message_id, type, subject)
            SELECT known.id, gone.seq, now_ms, gone.attempts_total, 'dead_lettered',
                   'the event''s payload was pruned while the destination was not in use',
                   event.source, event.message_id, event.type, event.subject
            FROM gone LEFT JOIN LATERAL (
                SELECT own.source, own.message_id, own.type, own.subject
                FROM deskbell.events AS own WHERE own.seq = gone.seq OFFSET 0
            ) AS event ON true
        )
        SELECT count(*), array_agg(gone.subject), array_agg(gone.leased_until_ms)
        INTO gone_here, subjects, leases_ms FROM gone;
        IF is_ordered AND gone_here > 0 THEN
            PERFORM deskbell.let_next_go_v1(known.id, subjects, leases_ms);
        END IF;
        given_up := given_up + gone_here;
    END LOOP;
    RETURN given_up;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- What pruning up to this place does not pass: the last event that nobody keeps, as well with open
-- deliveries left aside, and who keeps one, in lists: which, of what kind, the event, and when it
-- was received.
CREATE FUNCTION deskbell.held_v1(
    names text[], keep_behind bigint, wanted bigint,
    OUT last bigint, OUT passed bigint,
    OUT holders text[], OUT kinds text[], OUT seqs bigint[], OUT since_ms bigint[]
)
LANGUAGE sql STABLE AS $$
    WITH stands AS MATERIALIZED (
        SELECT known.name, known.routed_seq,
               (SELECT min(seq) FROM deskbell.deliveries WHERE destination_id = known.id) AS open
        FROM deskbell.destinations AS known WHERE known.name = ANY (names)
    ), holder AS (
        SELECT name, 'checkpoint' AS kind, routed_seq + 1 AS first FROM stands
        UNION ALL
        SELECT name, 'delivery', open FROM stands WHERE open IS NOT NULL
        UNION ALL
        SELECT NULL, 'outside', keep_behind + 1 WHERE keep_behind IS NOT NULL
    ), kept AS (
        SELECT holder.name, holder.kind, event.seq, event.received_at_ms
        FROM holder CROSS JOIN LATERAL (
            SELECT own.seq, own.received_at_ms FROM deskbell.events AS own
            WHERE own.seq >= holder.first ORDER BY own.seq LIMIT 1
        ) AS event
        WHERE holder.first <= wanted
    )
    SELECT least(wanted, (SELECT min(first) - 1 FROM holder)),
           (SELECT min(first) - 1 FROM holder WHERE kind <> 'delivery'),
           array_agg(name ORDER BY name, kind), array_agg(kind ORDER BY name, kind),
           array_agg(seq ORDER BY name, kind), array_agg(received_at_ms ORDER BY name, kind)
    FROM kept;
$$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;

-- Deletes the first events up to a place, with all that belongs to them. How many rows were looked
-- at, and how many were deleted and given up.
CREATE FUNCTION deskbell.prune_events_v1(
    now_ms bigint, names text[], up_to bigint, rows_max bigint,
    OUT looked_at bigint, OUT deleted bigint, OUT given_up bigint
)
LANGUAGE plpgsql AS $$
DECLARE
    first bigint := (SELECT min(seq) FROM deskbell.events);
    last bigint := deskbell.lock_events_v1(names, first, least(up_to, first + rows_max - 1));
    known record;
BEGIN
    looked_at := 0;
    deleted := 0;
    given_up := 0;
    -- Where the last event of all goes, its place is written into the row that who appends locks.
    -- One who appends just now is not waited for: it is not the last one soon.
    IF last >= (SELECT max(seq) FROM deskbell.events) THEN
        PERFORM FROM deskbell.log FOR NO KEY UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            last := last - 1;
        END IF;
    END IF;
    IF first IS NULL OR last < first THEN
        RETURN;
    END IF;
    given_up := deskbell.give_up_v1(now_ms, names, last, NULL);
    FOR known IN SELECT id FROM deskbell.destinations LOOP
        DELETE FROM deskbell.settled_deliveries WHERE destination_id = known.id AND seq <= last;
        DELETE FROM deskbell.attempts WHERE destination_id = known.id AND seq <= last;
    END LOOP;
    -- Acted on: the router may still be about to look for the event of another one.
    DELETE FROM deskbell.replay_requests AS request
    USING (
        SELECT own.ctid AS place, own.number FROM deskbell.replay_requests AS own
        WHERE own.seq <= last OFFSET 0
    ) AS old
    WHERE request.ctid = old.place
        AND old.number <= (SELECT replayed_number FROM deskbell.router);
    DELETE FROM deskbell.unwanted_events WHERE seq <= last;
    DELETE FROM deskbell.event_people WHERE seq <= last;
    DELETE FROM deskbell.erasures WHERE seq <= last;
    DELETE FROM deskbell.events WHERE seq BETWEEN first AND last;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    looked_at := last - first + 1;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- Empties the next payloads up to a place. As `prune_events_v1`.
CREATE FUNCTION deskbell.empty_payloads_v1(
    now_ms bigint, names text[], up_to bigint, rows_max bigint,
    OUT looked_at bigint, OUT emptied bigint, OUT given_up bigint
)
LANGUAGE plpgsql AS $$
DECLARE
    first bigint := greatest(
        (SELECT payloads_emptied_seq FROM deskbell.upkeep) + 1,
        (SELECT min(seq) FROM deskbell.events));
    last bigint := least(up_to, first + rows_max - 1);
BEGIN
    looked_at := 0;
    emptied := 0;
    given_up := 0;
    IF last < first THEN
        RETURN;
    END IF;
    last := deskbell.lock_events_v1(names, first, last);
    IF last < first THEN
        RETURN;
    END IF;
    given_up := deskbell.give_up_v1(now_ms, names, last, NULL);
    UPDATE deskbell.events SET payload = NULL
    WHERE seq BETWEEN first AND last AND octet_length(payload) > 0;
    GET DIAGNOSTICS emptied = ROW_COUNT;
    UPDATE deskbell.upkeep SET payloads_emptied_seq = last;
    looked_at := last - first + 1;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- Empties one-time codes that were received long enough ago and passed by everybody, with no delivery
-- that is open or was settled since.
CREATE FUNCTION deskbell.empty_codes_v1(
    now_ms bigint, names text[], passed bigint, before_ms bigint, rows_max bigint,
    OUT emptied bigint, OUT given_up bigint
)
LANGUAGE plpgsql AS $$
DECLARE
    places bigint[];
BEGIN
    emptied := 0;
    given_up := 0;
    SELECT array_agg(code.seq) INTO places FROM (
        SELECT event.seq FROM deskbell.events AS event
        WHERE event.type IN ('email.created', 'sms.created') AND octet_length(event.payload) > 0
            AND event.received_at_ms < before_ms AND event.seq <= coalesce(passed, event.seq)
            AND NOT deskbell.is_owed_v1(names, event.seq)
            AND NOT EXISTS (
                SELECT FROM deskbell.destinations AS known
                CROSS JOIN LATERAL (
                    SELECT own.settled_at_ms FROM deskbell.settled_deliveries AS own
                    WHERE own.destination_id = known.id AND own.seq = event.seq OFFSET 0
                ) AS settled
                WHERE settled.settled_at_ms >= before_ms)
        ORDER BY event.received_at_ms, event.seq LIMIT rows_max FOR NO KEY UPDATE
    ) AS code;
    -- One that was revived before the lock.
    SELECT array_agg(locked.seq) INTO places FROM unnest(places) AS locked (seq)
    WHERE NOT deskbell.is_owed_v1(names, locked.seq);
    IF places IS NULL THEN
        RETURN;
    END IF;
    given_up := deskbell.give_up_v1(now_ms, names, NULL, places);
    UPDATE deskbell.events SET payload = NULL WHERE seq = ANY (places);
    GET DIAGNOSTICS emptied = ROW_COUNT;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- Takes away what is too old: events, payloads, one-time codes, attempts and orders, in this order,
-- until so many rows are full. It need not be on disk when it returns: what is lost with it is done
-- again. Nothing is taken away where another replica is about it.
CREATE FUNCTION deskbell.prune_v1(
    manual_ms bigint, names text[], keep_behind bigint, payloads_ms bigint, events_ms bigint,
    codes_ms bigint, attempts_ms bigint, orders_ms bigint, rows_max bigint,
    OUT payloads_emptied bigint, OUT events_deleted bigint, OUT attempts_deleted bigint,
    OUT orders_deleted bigint, OUT given_up bigint, OUT more boolean,
    OUT holders text[], OUT kinds text[], OUT seqs bigint[], OUT since_ms bigint[]
)
LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := coalesce(manual_ms, deskbell.now_ms());
    payloads_last bigint := deskbell.first_received_since_v1(now_ms - payloads_ms) - 1;
    events_last bigint := deskbell.first_received_since_v1(now_ms - events_ms) - 1;
    rows_left bigint := rows_max;
    held record;
    step record;
BEGIN
    SET LOCAL synchronous_commit = off;
    SELECT * INTO held FROM deskbell.held_v1(names, keep_behind, payloads_last);
    holders := held.holders;
    kinds := held.kinds;
    seqs := held.seqs;
    since_ms := held.since_ms;
    payloads_emptied := 0;
    events_deleted := 0;
    attempts_deleted := 0;
    orders_deleted := 0;
    given_up := 0;
    more := false;
    PERFORM FROM deskbell.upkeep FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;

    SELECT * INTO step FROM deskbell.prune_events_v1(
        now_ms, names, least(held.last, events_last), rows_left);
    events_deleted := step.deleted;
    given_up := given_up + step.given_up;
    rows_left := rows_left - step.looked_at;

    IF rows_left > 0 THEN
        SELECT * INTO step FROM deskbell.empty_payloads_v1(now_ms, names, held.last, rows_left);
        payloads_emptied := step.emptied;
        given_up := given_up + step.given_up;
        rows_left := rows_left - step.looked_at;
    END IF;
    IF rows_left > 0 THEN
        SELECT * INTO step FROM deskbell.empty_codes_v1(
            now_ms, names, held.passed, now_ms - codes_ms, rows_left);
        payloads_emptied := payloads_emptied + step.emptied;
        given_up := given_up + step.given_up;
        rows_left := rows_left - step.emptied;
    END IF;
    IF rows_left > 0 THEN
        DELETE FROM deskbell.attempts WHERE ctid = ANY (ARRAY (
            SELECT own.ctid FROM deskbell.attempts AS own
            WHERE own.started_at_ms < now_ms - attempts_ms
            ORDER BY own.started_at_ms LIMIT rows_left));
        GET DIAGNOSTICS attempts_deleted = ROW_COUNT;
        rows_left := rows_left - attempts_deleted;
    END IF;
    IF rows_left > 0 THEN
        -- The first ones are looked at, however old they are: they lie in the order of time.
        DELETE FROM deskbell.orders WHERE ctid = ANY (ARRAY (
            SELECT early.ctid FROM (
                SELECT own.ctid, own.finished_at_ms FROM deskbell.orders AS own
                ORDER BY own.number LIMIT rows_left
            ) AS early WHERE early.finished_at_ms < now_ms - orders_ms));
        GET DIAGNOSTICS orders_deleted = ROW_COUNT;
        rows_left := rows_left - orders_deleted;
    END IF;
    more := rows_left <= 0;
END $$
SET lock_timeout = '3s'
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- The events that name a user, whether one of these destinations is still owed one, and the payload of
-- those about the user, which know the user's addresses.
CREATE FUNCTION deskbell.naming_v1(named text, names text[])
RETURNS TABLE (seq bigint, message_id text, is_owed boolean, payload bytea)
LANGUAGE sql STABLE AS $$
    SELECT event.seq, event.message_id, deskbell.is_owed_v1(names, event.seq),
           CASE WHEN event.subject = named AND event.type LIKE 'user.%' THEN event.payload END
    FROM deskbell.event_people AS people
    CROSS JOIN LATERAL (
        SELECT own.seq, own.message_id, own.subject, own.type, own.payload
        FROM deskbell.events AS own WHERE own.seq = people.seq OFFSET 0
    ) AS event
    WHERE people.person = named ORDER BY people.seq;
$$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;

-- Events that are about somebody by an email address alone. Another user may have the same one,
-- whose own events stay.
CREATE FUNCTION deskbell.inviting_v1(addresses text[], names text[])
RETURNS TABLE (seq bigint, message_id text, is_owed boolean)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT event.seq, event.message_id, deskbell.is_owed_v1(names, event.seq)
    FROM unnest(addresses) AS address (person)
    CROSS JOIN LATERAL (
        SELECT own.seq FROM deskbell.event_people AS own
        WHERE own.person = address.person OFFSET 0
    ) AS people
    CROSS JOIN LATERAL (
        SELECT own.seq, own.message_id, own.type
        FROM deskbell.events AS own WHERE own.seq = people.seq OFFSET 0
    ) AS event
    WHERE event.type LIKE 'invitation.%' OR event.type LIKE 'organizationInvitation.%'
        OR event.type LIKE 'waitlistEntry.%' OR event.type LIKE 'email.%';
$$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;

-- Erases the first so many of these events of a user, the places in order. How many those were, none
-- where one of them is owed again.
CREATE FUNCTION deskbell.erase_v1(
    manual_ms bigint, names text[], gone text, places bigint[], rows_max integer
) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := coalesce(manual_ms, deskbell.now_ms());
    erased bigint[] := places[1:rows_max];
    known record;
BEGIN
    PERFORM FROM deskbell.events WHERE seq = ANY (erased) ORDER BY seq FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM unnest(erased) AS event (seq)
               WHERE deskbell.is_owed_v1(names, event.seq)) THEN
        RETURN 0;
    END IF;
    -- Those found by an address are the user's from here on: what knew the address may go first.
    INSERT INTO deskbell.event_people (person, seq)
    SELECT gone, event.seq FROM unnest(places) AS event (seq)
    ON CONFLICT DO NOTHING;
    PERFORM deskbell.give_up_v1(now_ms, names, NULL, erased);
    UPDATE deskbell.events SET payload = NULL WHERE seq = ANY (erased);
    FOR known IN SELECT id FROM deskbell.destinations LOOP
        UPDATE deskbell.attempts SET reply = NULL,
            error = CASE WHEN error IS NOT NULL THEN 'erased' END
        WHERE destination_id = known.id AND seq = ANY (erased);
        UPDATE deskbell.settled_deliveries SET reason = 'erased'
        WHERE destination_id = known.id AND seq = ANY (erased) AND reason IS NOT NULL;
    END LOOP;
    DELETE FROM deskbell.unwanted_events WHERE seq = ANY (erased);
    DELETE FROM deskbell.event_people WHERE seq = ANY (erased);
    RETURN cardinality(erased);
END $$
SET lock_timeout = '3s'
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;
