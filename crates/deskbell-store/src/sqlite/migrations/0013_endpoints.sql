-- Destinations of type `http` that were made through the admin API.
CREATE TABLE endpoints (
    id            TEXT    NOT NULL PRIMARY KEY,
    settings      TEXT    NOT NULL,
    sealed        BLOB    NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    -- The revision that changed it last.
    version       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: it grows with each change of an endpoint.
CREATE TABLE endpoints_revision (
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO endpoints_revision VALUES (0);
