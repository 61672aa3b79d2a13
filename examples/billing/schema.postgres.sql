-- Accounts of the application's, each owned by a user or an organization of Clerk's.
CREATE TABLE accounts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id text NOT NULL UNIQUE,
    storage_gb integer NOT NULL DEFAULT 5,
    plan text,
    status text,
    paid_until timestamptz,
    past_due_since timestamptz
);

-- An account from before there was anything to pay for.
INSERT INTO accounts (owner_id, storage_gb) VALUES ('org_juniper', 500);
