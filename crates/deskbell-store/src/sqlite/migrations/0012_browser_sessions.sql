-- Sessions of browsers. Of each secret only its SHA-256 is stored.
CREATE TABLE browser_sessions (
    hash          BLOB    NOT NULL PRIMARY KEY,
    token_name    TEXT    NOT NULL,
    role          TEXT    NOT NULL,
    -- Written at most once a minute.
    used_at_ms    INTEGER NOT NULL,
    idle_max_ms   INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One-time codes that begin a session.
CREATE TABLE sign_in_codes (
    hash          BLOB    NOT NULL PRIMARY KEY,
    expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
