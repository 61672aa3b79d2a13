-- Mirrors that somebody paused through the admin API. Processes see a change by the revision of the
-- endpoints.
CREATE TABLE deskbell.paused_mirrors (
    name text COLLATE "C" PRIMARY KEY
);

-- Pauses the mirror, or resumes it.
CREATE FUNCTION deskbell.set_mirror_paused_v1(mirror text, paused boolean) RETURNS void
LANGUAGE plpgsql
SET lock_timeout = '3s'
AS $$
BEGIN
    PERFORM FROM deskbell.endpoints_revision FOR UPDATE;
    IF paused THEN
        INSERT INTO deskbell.paused_mirrors (name) VALUES (mirror) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM deskbell.paused_mirrors WHERE name = mirror;
    END IF;
    UPDATE deskbell.endpoints_revision SET revision = revision + 1;
END $$;
