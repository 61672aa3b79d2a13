-- What makes deliveries pending. It leaves out events whose payload has left the log. Who
-- prunes or erases and who revives or enqueues meet at the rows of events, which both lock first, by
-- place, before anything of a destination. The router need not: nobody prunes past the checkpoint
-- of a destination that is delivered to, and what others are owed is given up on under their lock.

-- Keeps payloads from being pruned or erased until the transaction ends. To be called by itself: what
-- was committed while it waited is seen by the next statement.
CREATE FUNCTION deskbell.keep_v1(places bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM (
        SELECT DISTINCT given.seq FROM unnest(places) AS given (seq) ORDER BY given.seq
    ) AS wanted
    CROSS JOIN LATERAL (
        SELECT FROM deskbell.events AS own WHERE own.seq = wanted.seq FOR SHARE
    ) AS kept;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;

-- Adds deliveries that exist in no state, and whose event says something; the places in order. How
-- many.
CREATE FUNCTION deskbell.add_v1(
    now_ms bigint, destination integer, seqs bigint[], subjects text[]
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    is_ordered boolean := deskbell.lock_v1(destination);
    added bigint;
    settled bigint;
BEGIN
    INSERT INTO deskbell.deliveries (destination_id, seq, subject, due_at_ms, blocked)
    SELECT destination, given.seq, CASE WHEN is_ordered THEN given.subject END, now_ms,
           is_ordered AND given.subject IS NOT NULL
    FROM unnest(seqs, subjects) AS given (seq, subject)
    WHERE EXISTS (SELECT FROM deskbell.events
                  WHERE events.seq = given.seq AND octet_length(events.payload) > 0 OFFSET 0)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS added = ROW_COUNT;
    -- Looked at afterwards, when nobody can settle one of these any more without our seeing it.
    IF added > 0 AND EXISTS (
        SELECT FROM deskbell.settled_deliveries
        WHERE destination_id = destination AND seq BETWEEN seqs[1] AND seqs[cardinality(seqs)]
    ) THEN
        DELETE FROM deskbell.deliveries AS pending
        USING unnest(seqs) AS given (seq)
        CROSS JOIN LATERAL (
            SELECT own.ctid AS place FROM deskbell.deliveries AS own
            WHERE own.destination_id = destination AND own.seq = given.seq OFFSET 0
        ) AS found
        WHERE pending.ctid = found.place AND EXISTS (
            SELECT FROM deskbell.settled_deliveries AS settled
            WHERE settled.destination_id = destination AND settled.seq = given.seq OFFSET 0);
        GET DIAGNOSTICS settled = ROW_COUNT;
        added := added - settled;
    END IF;
    IF is_ordered AND added > 0 THEN
        PERFORM deskbell.put_first_v1(destination, subjects);
    END IF;
    RETURN added;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- Adds deliveries of several destinations: the next so many of the lists are the next one's.
-- Destinations that are not known are passed over. How many were added.
CREATE FUNCTION deskbell.add_all_v1(
    manual_ms bigint, destinations text[], counts integer[], seqs bigint[], subjects text[]
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := coalesce(manual_ms, deskbell.now_ms());
    added bigint := 0;
    owed record;
BEGIN
    FOR owed IN
        SELECT known.id, given.past - given.length + 1 AS first, given.past AS last
        FROM (SELECT name, length, sum(length) OVER (ORDER BY place)::integer AS past
              FROM unnest(destinations, counts) WITH ORDINALITY AS list (name, length, place)
        ) AS given
        JOIN deskbell.destinations AS known ON known.name = given.name
        ORDER BY known.id
    LOOP
        added := added + deskbell.add_v1(
            now_ms, owed.id, seqs[owed.first:owed.last], subjects[owed.first:owed.last]);
    END LOOP;
    RETURN added;
END $$;

-- `add_all_v1` for places behind a checkpoint too.
CREATE FUNCTION deskbell.enqueue_v1(
    manual_ms bigint, destinations text[], counts integer[], seqs bigint[], subjects text[]
) RETURNS bigint
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM deskbell.keep_v1(seqs);
    RETURN deskbell.add_all_v1(manual_ms, destinations, counts, seqs, subjects);
END $$;

-- Takes a batch of the router, whole or not at all; whether it did. `lists` are those of
-- `add_all_v1`. It need not be on disk when it returns: what is lost with it is the checkpoints'
-- move too, and it is routed again.
CREATE FUNCTION deskbell.route_v1(
    manual_ms bigint, router_token bigint, from_seq bigint, to_seq bigint, checkpoints text[],
    destinations text[], counts integer[], seqs bigint[], subjects text[],
    unwanted_seqs bigint[], unwanted_reasons text[]
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    standing integer;
BEGIN
    SET LOCAL synchronous_commit = off;
    IF NOT deskbell.is_router_v1(router_token) THEN
        RETURN false;
    END IF;
    SELECT count(*) INTO standing FROM (
        SELECT FROM deskbell.destinations
        WHERE name = ANY (checkpoints) AND routed_seq = from_seq ORDER BY id FOR NO KEY UPDATE
    ) AS locked;
    IF standing <> cardinality(checkpoints) THEN
        RETURN false;
    END IF;
    UPDATE deskbell.destinations SET routed_seq = to_seq WHERE name = ANY (checkpoints);
    PERFORM deskbell.add_all_v1(manual_ms, destinations, counts, seqs, subjects);
    INSERT INTO deskbell.unwanted_events (seq, reasons)
    SELECT given.seq, given.reasons::jsonb
    FROM unnest(unwanted_seqs, unwanted_reasons) AS given (seq, reasons)
    ON CONFLICT (seq) DO UPDATE SET reasons = unwanted_events.reasons || excluded.reasons;
    RETURN true;
END $$;

-- Makes settled deliveries of one destination pending again, and pending ones due. How many.
CREATE FUNCTION deskbell.revive_for_v1(now_ms bigint, destination integer, seqs bigint[])
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    is_ordered boolean := deskbell.lock_alone_v1(destination);
    hurried bigint;
    revived bigint;
    subjects text[];
BEGIN
    -- First locked, so that no claim changes them in between.
    PERFORM FROM unnest(seqs) AS given (seq)
    CROSS JOIN LATERAL (
        SELECT FROM deskbell.deliveries AS own
        WHERE own.destination_id = destination AND own.seq = given.seq FOR UPDATE
    ) AS locked;
    UPDATE deskbell.deliveries AS pending SET due_at_ms = least(due_at_ms, now_ms)
    FROM unnest(seqs) AS given (seq)
    CROSS JOIN LATERAL (
        SELECT own.ctid AS place FROM deskbell.deliveries AS own
        WHERE own.destination_id = destination AND own.seq = given.seq OFFSET 0
    ) AS found
    WHERE pending.ctid = found.place;
    GET DIAGNOSTICS hurried = ROW_COUNT;
    -- One whose event has left the log, or has lost its payload, cannot be sent again.
    WITH gone AS (
        DELETE FROM deskbell.settled_deliveries AS settled
        USING unnest(seqs) AS given (seq)
        CROSS JOIN LATERAL (
            SELECT own.ctid AS place FROM deskbell.settled_deliveries AS own
            WHERE own.destination_id = destination AND own.seq = given.seq OFFSET 0
        ) AS found
        CROSS JOIN LATERAL (
            SELECT own.subject FROM deskbell.events AS own
            WHERE own.seq = given.seq AND octet_length(own.payload) > 0 OFFSET 0
        ) AS event
        WHERE settled.ctid = found.place
        RETURNING settled.seq, settled.attempts_total, event.subject
    ), back AS (
        INSERT INTO deskbell.deliveries (destination_id, seq, subject, attempts_total, due_at_ms,
            blocked)
        SELECT destination, gone.seq, CASE WHEN is_ordered THEN gone.subject END,
               gone.attempts_total, now_ms, is_ordered AND gone.subject IS NOT NULL
        FROM gone
        RETURNING subject
    )
    SELECT count(*), array_agg(back.subject) INTO revived, subjects FROM back;
    IF is_ordered THEN
        PERFORM deskbell.put_first_v1(destination, subjects);
    END IF;
    RETURN hurried + revived;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- `revive_for_v1` for several destinations: the next so many of the places are the next one's.
CREATE FUNCTION deskbell.revive_v1(
    manual_ms bigint, destinations text[], counts integer[], seqs bigint[]
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := coalesce(manual_ms, deskbell.now_ms());
    revived bigint := 0;
    wanted record;
BEGIN
    PERFORM deskbell.keep_v1(seqs);
    FOR wanted IN
        SELECT known.id, given.past - given.length + 1 AS first, given.past AS last
        FROM (SELECT name, length, sum(length) OVER (ORDER BY place)::integer AS past
              FROM unnest(destinations, counts) WITH ORDINALITY AS list (name, length, place)
        ) AS given
        JOIN deskbell.destinations AS known ON known.name = given.name
        ORDER BY known.id
    LOOP
        revived := revived
            + deskbell.revive_for_v1(now_ms, wanted.id, seqs[wanted.first:wanted.last]);
    END LOOP;
    RETURN revived;
END $$;

-- Acts on the next replay requests. No row where another router has taken over; otherwise how many
-- there were, how many deliveries are pending again, and of which destinations.
CREATE FUNCTION deskbell.revive_requested_v1(
    manual_ms bigint, router_token bigint, requests_max bigint
) RETURNS TABLE (requests bigint, deliveries bigint, destinations text[])
LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := coalesce(manual_ms, deskbell.now_ms());
    last_number bigint;
    requested bigint[];
    dead record;
BEGIN
    IF NOT deskbell.is_router_v1(router_token) THEN
        RETURN;
    END IF;
    deliveries := 0;
    destinations := '{}';
    SELECT count(*), max(request.number), array_agg(DISTINCT request.seq)
    INTO requests, last_number, requested
    FROM (SELECT number, seq FROM deskbell.replay_requests
          WHERE number > (SELECT replayed_number FROM deskbell.router)
          ORDER BY number LIMIT requests_max) AS request;
    IF requests > 0 THEN
        UPDATE deskbell.router SET replayed_number = last_number;
        -- Few messages that are sent again were given up on.
        SELECT array_agg(wanted.seq) INTO requested FROM unnest(requested) AS wanted (seq)
        WHERE EXISTS (
            SELECT FROM deskbell.destinations AS known
            CROSS JOIN LATERAL (
                SELECT FROM deskbell.settled_deliveries AS own
                WHERE own.destination_id = known.id AND own.seq = wanted.seq
                    AND own.state = 'dead_lettered' OFFSET 0
            ) AS letter);
        PERFORM deskbell.keep_v1(requested);
        FOR dead IN
            SELECT known.id, known.name, array_agg(wanted.seq ORDER BY wanted.seq) AS seqs
            FROM deskbell.destinations AS known CROSS JOIN unnest(requested) AS wanted (seq)
            WHERE EXISTS (
                SELECT FROM deskbell.settled_deliveries AS letter
                WHERE letter.destination_id = known.id AND letter.seq = wanted.seq
                    AND letter.state = 'dead_lettered' OFFSET 0)
            GROUP BY known.id ORDER BY known.id
        LOOP
            deliveries := deliveries + deskbell.revive_for_v1(now_ms, dead.id, dead.seqs);
            destinations := destinations || dead.name;
        END LOOP;
    END IF;
    RETURN NEXT;
END $$
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off;
