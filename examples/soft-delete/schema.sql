-- The same for SQLite and PostgreSQL.
CREATE TABLE customers (
    clerk_id text PRIMARY KEY,
    email text,
    name text,
    deleted boolean NOT NULL DEFAULT false,
    deleted_at timestamptz,
    note text
);
