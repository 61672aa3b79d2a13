-- Destinations of type `http` that were made through the admin API.
CREATE TABLE deskbell.endpoints (
    id            text   COLLATE "C" PRIMARY KEY,
    settings      text   NOT NULL,
    sealed        bytea  NOT NULL,
    created_at_ms bigint NOT NULL,
    updated_at_ms bigint NOT NULL,
    -- The revision that changed it last.
    version       bigint NOT NULL
);

-- One row: it grows with each change of an endpoint. Who changes one locks it.
CREATE TABLE deskbell.endpoints_revision (
    revision bigint NOT NULL
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX endpoints_revision_one ON deskbell.endpoints_revision ((true));
INSERT INTO deskbell.endpoints_revision VALUES (0);

-- Stores a new endpoint (`known_version` 0), or changes the one that still has this version. Whether
-- it did.
CREATE FUNCTION deskbell.put_endpoint_v1(
    manual_ms bigint, endpoint_id text, new_settings text, new_sealed bytea, known_version bigint
) RETURNS boolean
LANGUAGE plpgsql
SET lock_timeout = '3s'
AS $$
DECLARE
    next bigint;
    now_ms bigint;
BEGIN
    SELECT revision + 1 INTO next FROM deskbell.endpoints_revision FOR UPDATE;
    now_ms := coalesce(manual_ms, deskbell.now_ms());
    IF known_version = 0 THEN
        INSERT INTO deskbell.endpoints (id, settings, sealed, created_at_ms, updated_at_ms, version)
        VALUES (endpoint_id, new_settings, new_sealed, now_ms, now_ms, next)
        ON CONFLICT DO NOTHING;
    ELSE
        UPDATE deskbell.endpoints
        SET settings = new_settings, sealed = new_sealed, updated_at_ms = now_ms, version = next
        WHERE id = endpoint_id AND version = known_version;
    END IF;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE deskbell.endpoints_revision SET revision = next;
    RETURN true;
END $$;

-- Deletes an endpoint. Whether there was one.
CREATE FUNCTION deskbell.delete_endpoint_v1(endpoint_id text) RETURNS boolean
LANGUAGE plpgsql
SET lock_timeout = '3s'
AS $$
BEGIN
    PERFORM FROM deskbell.endpoints_revision FOR UPDATE;
    DELETE FROM deskbell.endpoints WHERE id = endpoint_id;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE deskbell.endpoints_revision SET revision = revision + 1;
    RETURN true;
END $$;
