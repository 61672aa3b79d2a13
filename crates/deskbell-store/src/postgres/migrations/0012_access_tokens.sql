-- Tokens that open admin routes. Of each only its SHA-256 is stored.
CREATE TABLE deskbell.access_tokens (
    name          text COLLATE "C" PRIMARY KEY,
    role          text NOT NULL,
    hash          bytea NOT NULL UNIQUE,
    created_at_ms bigint NOT NULL
);
