-- What one source and one Clerk instance say about a user erases nothing of another one's.

-- Whether an event came by this source and may belong to this instance: it, or the other one, names
-- none, or both name the same.
CREATE FUNCTION deskbell.is_of_v1(place bigint, wanted_source text, wanted_instance text)
RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM deskbell.events AS event
        WHERE event.seq = place AND event.source = wanted_source
            AND (event.instance_id IS NULL OR wanted_instance IS NULL
                OR event.instance_id = wanted_instance));
$$;

-- Users who are gone, up to this place, by whom that was said, and whom some event of theirs still
-- names.
CREATE FUNCTION deskbell.gone_v1(last bigint, rows_max bigint)
RETURNS TABLE ("user" text, source text, instance_id text)
LANGUAGE sql STABLE AS $$
    SELECT gone."user", said.source, said.instance_id
    FROM deskbell.erasures AS gone
    CROSS JOIN LATERAL (
        SELECT own.source, own.instance_id
        FROM deskbell.events AS own WHERE own.seq = gone.seq OFFSET 0
    ) AS said
    WHERE gone.seq <= last AND EXISTS (
        SELECT FROM deskbell.event_people AS named
        WHERE named.person = gone."user"
            AND deskbell.is_of_v1(named.seq, said.source, said.instance_id) OFFSET 0)
    GROUP BY gone."user", said.source, said.instance_id
    ORDER BY min(gone.seq) LIMIT rows_max;
$$
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off;

-- Whether this source and this instance have said so, up to this place.
CREATE FUNCTION deskbell.is_gone_v1(
    gone text, last bigint, wanted_source text, wanted_instance text
) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM deskbell.erasures AS own
        CROSS JOIN LATERAL (
            SELECT event.source, event.instance_id
            FROM deskbell.events AS event WHERE event.seq = own.seq OFFSET 0
        ) AS said
        WHERE own."user" = gone AND own.seq <= last AND said.source = wanted_source
            AND said.instance_id IS NOT DISTINCT FROM wanted_instance);
$$;
