-- The same for SQLite and PostgreSQL.
CREATE TABLE workspaces (
    id text PRIMARY KEY,
    clerk_id text NOT NULL UNIQUE,
    name text,
    slug text,
    color text NOT NULL DEFAULT 'teal'
);

CREATE TABLE team_members (
    workspace_id text NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id text NOT NULL,
    role text,
    email text,
    desk text NOT NULL DEFAULT 'none yet',
    PRIMARY KEY (workspace_id, user_id)
);
