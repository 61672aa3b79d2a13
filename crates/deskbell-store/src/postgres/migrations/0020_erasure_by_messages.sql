-- `append_with_origins_v1`, but that only what Clerk's sender has as a message erases a user.
CREATE FUNCTION deskbell.append_with_origins_v2(
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
        FROM unnest(places, fresh, types, subjects, origins) AS b (seq, is_new, type, subject, origin)
        WHERE b.is_new AND b.type = 'user.deleted' AND b.subject IS NOT NULL
            AND (b.origin IS NULL OR b.origin = 'sender_record');
    END IF;
END $$;
