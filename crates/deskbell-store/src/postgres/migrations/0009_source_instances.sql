-- The Clerk instances that sources were found to belong to, where the config names none, and the
-- events that settled it.
CREATE TABLE deskbell.source_instances (
    source      text   COLLATE "C" PRIMARY KEY,
    instance_id text   COLLATE "C" NOT NULL,
    seq         bigint NOT NULL
);
