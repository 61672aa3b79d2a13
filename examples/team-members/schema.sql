-- The same for SQLite and PostgreSQL.
CREATE TABLE workspaces (
    clerk_id text PRIMARY KEY,
    name text,
    slug text,
    color text NOT NULL DEFAULT 'teal'
);

CREATE TABLE team_members (
    workspace_id text NOT NULL REFERENCES workspaces (clerk_id) ON DELETE CASCADE,
    user_id text NOT NULL,
    role text,
    email text,
    desk text NOT NULL DEFAULT 'none yet',
    PRIMARY KEY (workspace_id, user_id)
);
