-- One row: the name of this log, by which checkpoints elsewhere know it, and when somebody last
-- looked whether it can be written to.
CREATE TABLE log (
    log_id        TEXT    NOT NULL,
    checked_at_ms INTEGER
) STRICT;

-- AUTOINCREMENT: a number that was given out is never given out again, also after pruning.
CREATE TABLE events (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    source         TEXT    NOT NULL,
    message_id     TEXT    NOT NULL,
    type           TEXT    NOT NULL,
    subject        TEXT,
    occurred_at_ms INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL,
    instance_id    TEXT,
    payload        BLOB    NOT NULL,
    UNIQUE (message_id, source)
) STRICT;

-- A message that was sent again after it was in the log.
CREATE TABLE replay_requests (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    seq             INTEGER NOT NULL,
    requested_at_ms INTEGER NOT NULL
) STRICT;

-- Who acts for a consumer: the holder of the greatest token.
CREATE TABLE consumers (
    name  TEXT    PRIMARY KEY,
    token INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
