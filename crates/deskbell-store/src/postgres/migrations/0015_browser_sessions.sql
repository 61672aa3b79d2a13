-- Sessions of browsers. Of each secret only its SHA-256 is stored.
CREATE TABLE deskbell.browser_sessions (
    hash          bytea  PRIMARY KEY,
    token_name    text   COLLATE "C" NOT NULL,
    role          text   NOT NULL,
    -- Written at most once a minute.
    used_at_ms    bigint NOT NULL,
    idle_max_ms   bigint NOT NULL,
    expires_at_ms bigint NOT NULL
) WITH (fillfactor = 50);

-- One-time codes that begin a session.
CREATE TABLE deskbell.sign_in_codes (
    hash          bytea  PRIMARY KEY,
    expires_at_ms bigint NOT NULL
);
