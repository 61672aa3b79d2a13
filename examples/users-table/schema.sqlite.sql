-- What the application has: users of its own, found by clerk_id, and columns that Clerk knows nothing of.
CREATE TABLE users (
    id integer PRIMARY KEY,
    clerk_id text NOT NULL UNIQUE,
    email text UNIQUE,
    name text,
    plan text,
    signed_up_at timestamptz,
    theme text NOT NULL DEFAULT 'light',
    credits integer NOT NULL DEFAULT 10
);

-- Somebody who was there before Deskbell.
INSERT INTO users (clerk_id, email, theme, credits) VALUES ('user_ada', 'ada@old.example', 'dark', 250);
