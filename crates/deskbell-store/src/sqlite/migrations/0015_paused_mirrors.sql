-- Mirrors that somebody paused through the admin API. Processes see a change by the revision of the
-- endpoints.
CREATE TABLE paused_mirrors (
    name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
