-- Where events go. The id stands for the name in every row below.
CREATE TABLE deskbell.destinations (
    id                  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                text COLLATE "C" NOT NULL UNIQUE,
    routed_seq          bigint   NOT NULL,
    ordered             boolean  NOT NULL,
    first_failure_at_ms bigint,
    failing_since_ms    bigint,
    told_percent        smallint NOT NULL DEFAULT 0,
    disabled_at_ms      bigint,
    disabled_reason     text
) WITH (fillfactor = 20);

-- Pending deliveries alone, so that what is read and changed all the time stays small.
CREATE TABLE deskbell.deliveries (
    destination_id      integer NOT NULL,
    seq                 bigint  NOT NULL,
    -- Nobody else gets it before this time: the one that has claimed it, or, where it has no
    -- claim's number, the one that has a later delivery about the same subject under way.
    leased_until_ms     bigint  NOT NULL DEFAULT 0,
    -- Of the last claim that was not given up; 0 where there is none.
    claim_number        bigint  NOT NULL DEFAULT 0,
    due_at_ms           bigint  NOT NULL,
    first_attempt_at_ms bigint,
    -- Of this schedule; `attempts_total` also of those before it was last revived.
    attempts            integer NOT NULL DEFAULT 0,
    attempts_total      integer NOT NULL DEFAULT 0,
    -- An earlier one of the same subject comes first.
    blocked             boolean NOT NULL,
    -- Only where the destination is ordered: others need no queue of a subject.
    subject             text COLLATE "C",
    PRIMARY KEY (destination_id, seq)
) WITH (
    -- A claim finds room on the page of its row, and no index names what it changes: so it writes
    -- to none of them.
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 100000,
    autovacuum_vacuum_cost_delay = 0,
    -- To give pages back to the disk takes a lock that everybody waits for.
    vacuum_truncate = off
);

-- What a claim reads: those that are blocked are not in it, however many they are.
CREATE INDEX deliveries_due ON deskbell.deliveries (destination_id, due_at_ms, seq)
    WHERE NOT blocked;

-- The first of each subject.
CREATE INDEX deliveries_subject ON deskbell.deliveries (destination_id, subject, seq)
    WHERE subject IS NOT NULL;

-- What the event was is copied for dead letters alone: they are shown also when it has left the log.
CREATE TABLE deskbell.settled_deliveries (
    destination_id integer NOT NULL,
    seq            bigint  NOT NULL,
    settled_at_ms  bigint  NOT NULL,
    attempts_total integer NOT NULL,
    state          text    NOT NULL CHECK (state IN ('delivered', 'dead_lettered')),
    reason         text,
    source         text,
    message_id     text,
    type           text,
    subject        text,
    PRIMARY KEY (destination_id, seq)
);

CREATE INDEX settled_deliveries_dead ON deskbell.settled_deliveries (destination_id, seq)
    WHERE state = 'dead_lettered';

CREATE TABLE deskbell.attempts (
    destination_id integer NOT NULL,
    seq            bigint  NOT NULL,
    number         integer NOT NULL,
    started_at_ms  bigint  NOT NULL,
    duration_ms    bigint  NOT NULL,
    status         integer,
    error          text,
    reply          bytea,
    PRIMARY KEY (destination_id, seq, number)
);

-- Events that no destination of a batch wanted: a JSON object, the reason by destination.
CREATE TABLE deskbell.unwanted_events (
    seq     bigint PRIMARY KEY,
    reasons jsonb NOT NULL
);

-- One row: the last replay request that was acted on. Those from before there were deliveries have
-- nothing to revive.
CREATE TABLE deskbell.router (
    replayed_number bigint NOT NULL
);
INSERT INTO deskbell.router SELECT coalesce(max(number), 0) FROM deskbell.replay_requests;

-- What commands beside the running program ask of it.
CREATE TABLE deskbell.orders (
    number         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body           text   NOT NULL,
    placed_at_ms   bigint NOT NULL,
    outcome        text,
    finished_at_ms bigint
);

CREATE INDEX orders_open ON deskbell.orders (number) WHERE outcome IS NULL;

-- Tells claims of one millisecond apart.
CREATE SEQUENCE deskbell.claim_numbers CACHE 32;

-- Functions: each is one unit of work, so that it takes one round trip. Their names bear a version:
-- another release, running beside this one, calls its own.
--
-- Who changes what is pending takes locks in this order: the router's row in `consumers`, rows of
-- `destinations` by id, the advisory locks of a destination, rows of `deliveries` by place. A claim
-- waits for none of them.
--
-- They leave the planner one way to go: statistics of a table that is empty in one minute and holds
-- a million rows in the next would lead it astray. A subquery with `OFFSET 0` or `FOR UPDATE` is run
-- for each row of the list before it, never the other way around; a row that was found is changed
-- by its `ctid`, and left alone where somebody else has changed it in the meantime.

-- Keeps a destination's order from being changed, and, where it has one, others from changing what
-- is first of its subjects. Whether it has one. To be called by itself: what was committed while it
-- waited is seen by the next statement.
CREATE FUNCTION deskbell.lock_v1(destination integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    is_ordered boolean;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(1145393995, destination);
    SELECT ordered INTO is_ordered FROM deskbell.destinations WHERE id = destination;
    IF is_ordered THEN
        PERFORM pg_advisory_xact_lock(1145393996, destination);
    END IF;
    RETURN is_ordered;
END $$;

-- Keeps everybody else from changing what is pending. Whether the destination is ordered.
CREATE FUNCTION deskbell.lock_alone_v1(destination integer) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    is_ordered boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(1145393995, destination);
    SELECT ordered INTO is_ordered FROM deskbell.destinations WHERE id = destination;
    RETURN is_ordered;
END $$;

-- The subjects of which the first one is blocked, that one, and the one that is not, if any. The row
-- comparison leaves no index to use but the one of subjects.
CREATE FUNCTION deskbell.newcomers_v1(destination integer, subjects text[])
RETURNS TABLE (subject text, first tid, former tid)
LANGUAGE sql AS $$
    SELECT named.subject, first.ctid, CASE WHEN former.subject = named.subject THEN former.ctid END
    FROM (SELECT DISTINCT given.subject COLLATE "C" AS subject
          FROM unnest(subjects) AS given (subject) WHERE given.subject IS NOT NULL) AS named
    CROSS JOIN LATERAL (
        SELECT pending.ctid, pending.subject, pending.blocked FROM deskbell.deliveries AS pending
        WHERE pending.destination_id = destination AND pending.subject IS NOT NULL
            AND (pending.subject, pending.seq) > (named.subject, 0)
        ORDER BY pending.subject, pending.seq LIMIT 1
    ) AS first
    LEFT JOIN LATERAL (
        SELECT pending.ctid, pending.subject FROM deskbell.deliveries AS pending
        WHERE pending.destination_id = destination AND pending.subject IS NOT NULL
            AND (pending.subject, pending.seq) > (named.subject, 0) AND NOT pending.blocked
        ORDER BY pending.subject, pending.seq LIMIT 1
    ) AS former ON true
    WHERE first.subject = named.subject AND first.blocked;
$$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- After deliveries about these subjects were added, blocked: the first of each may go, and the one
-- that was first before may not. Where that one is under way, the new first waits for its lease.
CREATE FUNCTION deskbell.put_first_v1(destination integer, subjects text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- First locked, so that no claim is under way that is not seen below.
    PERFORM FROM deskbell.newcomers_v1(destination, subjects) AS newcomer
    CROSS JOIN LATERAL (
        SELECT FROM deskbell.deliveries AS former
        WHERE former.ctid = newcomer.former FOR UPDATE
    ) AS locked;
    WITH newcomer AS MATERIALIZED (
        SELECT * FROM deskbell.newcomers_v1(destination, subjects)
    ), former AS (
        UPDATE deskbell.deliveries AS pending SET blocked = true
        FROM newcomer WHERE pending.ctid = newcomer.former
        RETURNING pending.subject, pending.leased_until_ms
    )
    UPDATE deskbell.deliveries AS pending
    SET blocked = false, leased_until_ms = coalesce(former.leased_until_ms, 0)
    FROM newcomer LEFT JOIN former ON former.subject = newcomer.subject
    WHERE pending.ctid = newcomer.first;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- After those that were under way about these subjects, under these leases, were given up: the next
-- of each may go.
CREATE FUNCTION deskbell.let_next_go_v1(destination integer, subjects text[], leases_ms bigint[])
RETURNS void
LANGUAGE sql AS $$
    UPDATE deskbell.deliveries AS pending
    SET blocked = false,
        leased_until_ms = CASE WHEN claim_number = 0 THEN 0 ELSE leased_until_ms END
    FROM (SELECT DISTINCT subject COLLATE "C" AS subject, lease_ms
          FROM unnest(subjects, leases_ms) AS list (subject, lease_ms)
          WHERE subject IS NOT NULL) AS given
    CROSS JOIN LATERAL (
        SELECT waiting.ctid AS place, waiting.subject FROM deskbell.deliveries AS waiting
        WHERE waiting.destination_id = destination AND waiting.subject IS NOT NULL
            AND (waiting.subject, waiting.seq) > (given.subject, 0)
        ORDER BY waiting.subject, waiting.seq LIMIT 1
    ) AS first
    WHERE pending.ctid = first.place AND first.subject = given.subject
        AND (pending.blocked
             OR (pending.claim_number = 0 AND pending.leased_until_ms = given.lease_ms));
$$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- Whether this is the newest router's token; nobody gets another one before the commit.
CREATE FUNCTION deskbell.is_router_v1(router_token bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM deskbell.consumers WHERE name = 'router' AND token = router_token FOR SHARE;
    RETURN FOUND;
END $$;

-- Claims due deliveries, the longest due first, until their payloads reach `bytes_max`. A row for
-- each, and one without a place that says when the next one is due that nobody has. It need not be
-- on disk when it returns: a claim that is lost was a lease that ended early.
CREATE FUNCTION deskbell.claim_v1(
    manual_ms bigint, destination text, deliveries_max bigint, bytes_max bigint, lease_ms bigint
) RETURNS TABLE (
    seq bigint, received_at_ms bigint, source text, message_id text, type text, subject text,
    occurred_at_ms bigint, instance_id text, payload bytea, attempts integer,
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
        sized.subject, sized.occurred_at_ms, sized.instance_id, sized.payload, pending.attempts,
        pending.first_attempt_at_ms, pending.due_at_ms, claim, at_ms;
    due_at_ms := (
        SELECT free.due_at_ms FROM deskbell.deliveries AS free
        WHERE free.destination_id = known_id AND NOT free.blocked AND free.leased_until_ms <= at_ms
        ORDER BY free.due_at_ms, free.seq LIMIT 1);
    now_ms := at_ms;
    RETURN NEXT;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- Gives claimed deliveries back.
CREATE FUNCTION deskbell.release_v1(destination text, seqs bigint[], numbers bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    known_id integer := (SELECT id FROM deskbell.destinations WHERE name = destination);
    is_ordered boolean := deskbell.lock_v1(known_id);
    subjects text[];
    leases_ms bigint[];
BEGIN
    WITH released AS (
        UPDATE deskbell.deliveries AS pending SET claim_number = 0, leased_until_ms = 0
        FROM unnest(seqs, numbers) AS given (seq, number)
        CROSS JOIN LATERAL (
            SELECT own.ctid AS place, own.leased_until_ms FROM deskbell.deliveries AS own
            WHERE own.destination_id = known_id AND own.seq = given.seq OFFSET 0
        ) AS held
        WHERE pending.ctid = held.place AND pending.claim_number = given.number
        RETURNING pending.subject, held.leased_until_ms
    )
    SELECT array_agg(subject), array_agg(leased_until_ms) INTO subjects, leases_ms FROM released;
    IF is_ordered THEN
        PERFORM deskbell.let_next_go_v1(known_id, subjects, leases_ms);
    END IF;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- Writes down what became of claimed deliveries, those of lost claims left out: `retry_after_ms`
-- where it is tried again, `reasons` where it is a dead letter, `began_ago_ms` where an attempt was
-- made. The places in order. How many there were, and whether the destination is ordered.
CREATE FUNCTION deskbell.settle_v1(
    manual_ms bigint, destination text, seqs bigint[], numbers bigint[], retry_after_ms bigint[],
    reasons text[], began_ago_ms bigint[], durations_ms bigint[], statuses integer[],
    errors text[], replies bytea[]
) RETURNS TABLE (settled bigint, is_ordered boolean)
LANGUAGE plpgsql AS $$
DECLARE
    now_ms bigint := coalesce(manual_ms, deskbell.now_ms());
    known_id integer := (SELECT id FROM deskbell.destinations WHERE name = destination);
    done bigint := 0;
    again bigint := 0;
    retries integer := cardinality(array_remove(retry_after_ms, NULL));
    done_subjects text[];
    done_leases_ms bigint[];
    again_subjects text[];
    again_leases_ms bigint[];
BEGIN
    is_ordered := deskbell.lock_v1(known_id);
    IF retries < cardinality(seqs) THEN
        WITH gone AS (
            DELETE FROM deskbell.deliveries AS pending
            USING unnest(seqs, numbers, retry_after_ms, reasons, began_ago_ms, durations_ms,
                         statuses, errors, replies)
                AS given (seq, number, retry_ms, reason, ago_ms, duration_ms, status, error, reply)
            CROSS JOIN LATERAL (
                SELECT own.ctid AS place FROM deskbell.deliveries AS own
                WHERE own.destination_id = known_id AND own.seq = given.seq OFFSET 0
            ) AS held
            WHERE given.retry_ms IS NULL AND pending.ctid = held.place
                AND pending.claim_number = given.number
            RETURNING pending.seq, pending.subject, pending.attempts_total,
                pending.leased_until_ms, given.reason, given.ago_ms, given.duration_ms,
                given.status, given.error, given.reply
        ), made AS (
            INSERT INTO deskbell.attempts (destination_id, seq, number, started_at_ms,
                duration_ms, status, error, reply)
            SELECT known_id, seq, attempts_total + 1, now_ms - ago_ms, duration_ms, status, error,
                   reply
            FROM gone WHERE ago_ms IS NOT NULL
        ), kept AS (
            INSERT INTO deskbell.settled_deliveries (destination_id, seq, settled_at_ms,
                attempts_total, state, reason, source, message_id, type, subject)
            SELECT known_id, gone.seq, now_ms,
                   attempts_total + CASE WHEN ago_ms IS NULL THEN 0 ELSE 1 END,
                   CASE WHEN reason IS NULL THEN 'delivered' ELSE 'dead_lettered' END, reason,
                   event.source, event.message_id, event.type, event.subject
            FROM gone LEFT JOIN deskbell.events AS event
                ON event.seq = CASE WHEN reason IS NOT NULL THEN gone.seq END
        )
        SELECT count(*), array_agg(gone.subject), array_agg(gone.leased_until_ms)
        INTO done, done_subjects, done_leases_ms FROM gone;
    END IF;
    IF retries > 0 THEN
        WITH waits AS (
            UPDATE deskbell.deliveries AS pending
            SET claim_number = 0, leased_until_ms = 0, due_at_ms = now_ms + given.retry_ms,
                attempts = attempts + CASE WHEN ago_ms IS NULL THEN 0 ELSE 1 END,
                attempts_total = attempts_total + CASE WHEN ago_ms IS NULL THEN 0 ELSE 1 END,
                first_attempt_at_ms = coalesce(first_attempt_at_ms, now_ms - ago_ms)
            FROM unnest(seqs, numbers, retry_after_ms, began_ago_ms, durations_ms, statuses,
                        errors, replies)
                AS given (seq, number, retry_ms, ago_ms, duration_ms, status, error, reply)
            CROSS JOIN LATERAL (
                SELECT own.ctid AS place, own.leased_until_ms FROM deskbell.deliveries AS own
                WHERE own.destination_id = known_id AND own.seq = given.seq OFFSET 0
            ) AS held
            WHERE given.retry_ms IS NOT NULL AND pending.ctid = held.place
                AND pending.claim_number = given.number
            RETURNING pending.seq, pending.subject, pending.attempts_total, held.leased_until_ms,
                given.ago_ms, given.duration_ms, given.status, given.error, given.reply
        ), made AS (
            INSERT INTO deskbell.attempts (destination_id, seq, number, started_at_ms,
                duration_ms, status, error, reply)
            SELECT known_id, seq, attempts_total, now_ms - ago_ms, duration_ms, status, error,
                   reply
            FROM waits WHERE ago_ms IS NOT NULL
        )
        SELECT count(*), array_agg(waits.subject), array_agg(waits.leased_until_ms)
        INTO again, again_subjects, again_leases_ms FROM waits;
    END IF;
    IF is_ordered THEN
        PERFORM deskbell.let_next_go_v1(
            known_id, done_subjects || again_subjects, done_leases_ms || again_leases_ms);
    END IF;
    settled := done + again;
    RETURN NEXT;
END $$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET enable_sort = off SET jit = off;

-- Makes a destination known, or takes its order over where it is known.
CREATE FUNCTION deskbell.register_v1(destination text, from_now boolean, in_order boolean)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    known deskbell.destinations;
BEGIN
    INSERT INTO deskbell.destinations (name, routed_seq, ordered)
    SELECT destination, CASE WHEN from_now THEN deskbell.head_v1() ELSE 0 END, in_order
    WHERE NOT EXISTS (SELECT FROM deskbell.destinations WHERE name = destination)
    ON CONFLICT DO NOTHING;
    SELECT * INTO known FROM deskbell.destinations WHERE name = destination FOR NO KEY UPDATE;
    IF known.ordered = in_order THEN
        RETURN;
    END IF;
    PERFORM deskbell.lock_alone_v1(known.id);
    UPDATE deskbell.destinations SET ordered = in_order WHERE id = known.id;
    IF NOT in_order THEN
        UPDATE deskbell.deliveries SET subject = NULL, blocked = false,
            leased_until_ms = CASE WHEN claim_number = 0 THEN 0 ELSE leased_until_ms END
        WHERE destination_id = known.id;
        RETURN;
    END IF;
    UPDATE deskbell.deliveries AS pending
    SET subject = event.subject, blocked = event.subject IS NOT NULL
    FROM deskbell.events AS event
    WHERE pending.destination_id = known.id AND event.seq = pending.seq;
    UPDATE deskbell.deliveries SET blocked = false
    WHERE destination_id = known.id AND seq IN (
        SELECT min(first.seq) FROM deskbell.deliveries AS first
        WHERE first.destination_id = known.id AND first.subject IS NOT NULL
        GROUP BY first.subject);
END $$;

-- Those of the keys for which there is a delivery in any state; the lists are those of `enqueue_v1`.
CREATE FUNCTION deskbell.present_v1(destinations text[], counts integer[], seqs bigint[])
RETURNS TABLE (name text, seq bigint)
LANGUAGE sql STABLE AS $$
    SELECT known.name, wanted.seq
    FROM (SELECT list.name, list.length,
                 sum(list.length) OVER (ORDER BY list.place)::integer AS past
          FROM unnest(destinations, counts) WITH ORDINALITY AS list (name, length, place)
    ) AS given
    JOIN deskbell.destinations AS known ON known.name = given.name
    CROSS JOIN LATERAL unnest(seqs[given.past - given.length + 1 : given.past]) AS wanted (seq)
    WHERE EXISTS (SELECT FROM deskbell.deliveries AS pending
                  WHERE pending.destination_id = known.id AND pending.seq = wanted.seq OFFSET 0)
        OR EXISTS (SELECT FROM deskbell.settled_deliveries AS settled
                   WHERE settled.destination_id = known.id AND settled.seq = wanted.seq OFFSET 0);
$$;

-- Looks where the times of places lead, halving what is left: times of receipt grow with the
-- places, as far as the clock does, and have no index.
CREATE FUNCTION deskbell.first_received_since_v1(at_ms bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    first bigint := 1;
    past bigint := deskbell.head_v1() + 1;
    middle bigint;
    found record;
BEGIN
    WHILE first < past LOOP
        middle := first + (past - first) / 2;
        -- The next one that is there: some may have been pruned.
        SELECT seq, received_at_ms INTO found FROM deskbell.events
        WHERE seq >= middle ORDER BY seq LIMIT 1;
        IF found.received_at_ms < at_ms THEN
            first := found.seq + 1;
        ELSE
            past := middle;
        END IF;
    END LOOP;
    RETURN first;
END $$;
