-- Tokens that open admin routes. Of each only its SHA-256 is stored.
CREATE TABLE access_tokens (
    name          TEXT    NOT NULL PRIMARY KEY,
    role          TEXT    NOT NULL,
    hash          BLOB    NOT NULL UNIQUE,
    created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
