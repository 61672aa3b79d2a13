-- The database's clock, in milliseconds since the Unix epoch: every time in these tables is its.
CREATE FUNCTION deskbell.now_ms() RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL SAFE
AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

-- One row: the name of this log, by which checkpoints elsewhere know it. Who appends locks the row,
-- and so sequence order is commit order. Where the log ends is not written here but read from its
-- last event: a row that every append changes grows a tail of old versions as long as anybody's
-- transaction is open, and each append would walk along it. `pruned_seq` takes the last event's
-- place when that one is pruned.
CREATE TABLE deskbell.log (
    log_id     text   NOT NULL,
    pruned_seq bigint NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX log_one ON deskbell.log ((true));

-- When a replica last looked whether the store can be written to.
CREATE TABLE deskbell.checks (
    checked_at_ms bigint NOT NULL
) WITH (fillfactor = 50);
INSERT INTO deskbell.checks (checked_at_ms) VALUES (0);

CREATE TABLE deskbell.events (
    seq            bigint PRIMARY KEY,
    occurred_at_ms bigint NOT NULL,
    received_at_ms bigint NOT NULL,
    source         text   COLLATE "C" NOT NULL,
    message_id     text   COLLATE "C" NOT NULL,
    type           text   COLLATE "C" NOT NULL,
    subject        text   COLLATE "C",
    instance_id    text   COLLATE "C",
    -- Null once it is pruned: the event's row stays.
    payload        bytea,
    CONSTRAINT events_message UNIQUE (message_id, source)
);
-- An ordinary payload lies in its row, as it is: to compress it, or to put it into a table of its
-- own and fetch it from there, costs more than the bytes that it would save.
ALTER TABLE deskbell.events ALTER COLUMN payload SET STORAGE EXTERNAL;
ALTER TABLE deskbell.events SET (
    toast_tuple_target = 8160,
    -- Rows are added, and hardly ever changed: the planner and the visibility map must keep up
    -- with growth, also of a log that is young.
    autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_threshold = 10000
);

-- A message that was sent again after it was in the log. Numbered under the log's lock, so that
-- their order is that of commits too.
CREATE TABLE deskbell.replay_requests (
    number          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq             bigint NOT NULL,
    requested_at_ms bigint NOT NULL
);

-- Who acts for a consumer: the process that holds it, if any does, and of all that ever claimed it
-- the one with the greatest token.
CREATE TABLE deskbell.consumers (
    name          text   COLLATE "C" PRIMARY KEY,
    token         bigint NOT NULL,
    holder        text   COLLATE "C",
    held_until_ms bigint
) WITH (fillfactor = 50);

-- The last place that was given out, also where its event has been pruned.
CREATE FUNCTION deskbell.head_v1() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT greatest(
        (SELECT max(seq) FROM deskbell.events),
        (SELECT pruned_seq FROM deskbell.log)
    )
$$;

-- No number is given out twice, whoever deletes what.
CREATE FUNCTION deskbell.keep_head_v1() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    last_deleted bigint := (SELECT max(seq) FROM deleted);
BEGIN
    IF last_deleted > coalesce((SELECT max(seq) FROM deskbell.events), 0) THEN
        UPDATE deskbell.log SET pruned_seq = last_deleted WHERE pruned_seq < last_deleted;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_head AFTER DELETE ON deskbell.events
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION deskbell.keep_head_v1();

-- Where the events of a batch stand, or will, behind this place. Most batches hold nothing that was
-- there before and nothing twice: those are numbered at a fraction of the cost.
CREATE FUNCTION deskbell.number_v1(
    head bigint, sources text[], message_ids text[], OUT places bigint[], OUT fresh boolean[]
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
    size integer := cardinality(message_ids);
BEGIN
    IF size = (
        SELECT count(*) FROM (
            SELECT DISTINCT b.message_id COLLATE "C", b.source COLLATE "C"
            FROM unnest(sources, message_ids) AS b (source, message_id)
        ) AS different
    ) AND NOT EXISTS (
        SELECT FROM unnest(sources, message_ids) AS b (source, message_id)
        CROSS JOIN LATERAL (
            SELECT FROM deskbell.events AS e
            WHERE e.message_id = b.message_id AND e.source = b.source OFFSET 0
        ) AS stored
    ) THEN
        places := ARRAY(SELECT generate_series(head + 1, head + size));
        fresh := array_fill(true, ARRAY[size]);
        RETURN;
    END IF;

    SELECT array_agg(numbered.place ORDER BY numbered.nth),
           array_agg(numbered.is_new ORDER BY numbered.nth)
    INTO places, fresh
    FROM (
        SELECT known.nth, known.is_new,
               coalesce(
                   known.stored,
                   first_value(known.number) OVER (
                       PARTITION BY known.message_id, known.source ORDER BY known.nth
                   )
               ) AS place
        FROM (
            SELECT looked_up.*,
                   head + count(*) FILTER (WHERE looked_up.is_new) OVER (ORDER BY looked_up.nth)
                       AS number
            FROM (
                SELECT batch.*,
                       batch.stored IS NULL AND row_number() OVER (
                           PARTITION BY batch.message_id, batch.source ORDER BY batch.nth
                       ) = 1 AS is_new
                FROM (
                    SELECT b.nth, b.source COLLATE "C" AS source,
                           b.message_id COLLATE "C" AS message_id,
                           (SELECT e.seq FROM deskbell.events e
                            WHERE e.message_id = b.message_id AND e.source = b.source) AS stored
                    FROM unnest(sources, message_ids) WITH ORDINALITY
                        AS b (source, message_id, nth)
                ) AS batch
            ) AS looked_up
        ) AS known
    ) AS numbered;
END $$;

-- Appends a batch: each event's place, in the batch's order, and whether it was new. The first of
-- those that are equal within the batch counts as the event.
--
-- One call is one transaction and one round trip. What comes after the lock is a statement of its
-- own and sees all that was committed before, in READ COMMITTED. The plans are made to be kept: the
-- tables may be empty when they are made, and a scan of the whole log would be one of a large log
-- soon. What they are said to cost then would have them compiled.
CREATE FUNCTION deskbell.append_v1(
    now bigint, sources text[], message_ids text[], types text[], subjects text[],
    occurred bigint[], instance_ids text[], payloads bytea[],
    OUT places bigint[], OUT fresh boolean[]
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
        seq, occurred_at_ms, received_at_ms, source, message_id, type, subject, instance_id, payload
    )
    SELECT b.seq, b.occurred, now_ms, b.source, b.message_id, b.type, b.subject, b.instance_id,
           b.payload
    FROM unnest(
        places, fresh, sources, message_ids, types, subjects, occurred, instance_ids, payloads
    ) AS b (seq, is_new, source, message_id, type, subject, occurred, instance_id, payload)
    WHERE b.is_new;

    IF false = ANY (fresh) THEN
        INSERT INTO deskbell.replay_requests (seq, requested_at_ms)
        SELECT b.seq, now_ms FROM unnest(places, fresh) AS b (seq, is_new) WHERE NOT b.is_new;
    END IF;
END $$;
