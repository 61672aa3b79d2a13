-- The Clerk instances that sources were found to belong to, where the config names none, and the
-- events that settled it.
CREATE TABLE source_instances (
    source      TEXT    PRIMARY KEY,
    instance_id TEXT    NOT NULL,
    seq         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
