-- Where events go. The id stands for the name in every row below.
CREATE TABLE destinations (
    id                  INTEGER PRIMARY KEY,
    name                TEXT    NOT NULL UNIQUE,
    routed_seq          INTEGER NOT NULL,
    ordered             INTEGER NOT NULL CHECK (ordered IN (0, 1)),
    first_failure_at_ms INTEGER,
    failing_since_ms    INTEGER,
    told_percent        INTEGER NOT NULL DEFAULT 0,
    disabled_at_ms      INTEGER,
    disabled_reason     TEXT
) STRICT;

-- Pending deliveries alone, so that what is read and changed all the time stays small. Who has
-- claimed them is kept in memory.
CREATE TABLE deliveries (
    destination_id      INTEGER NOT NULL,
    seq                 INTEGER NOT NULL,
    -- Only where the destination is ordered: others need no queue of a subject.
    subject             TEXT,
    -- Of this schedule; `attempts_total` also of those before it was last revived.
    attempts            INTEGER NOT NULL DEFAULT 0,
    attempts_total      INTEGER NOT NULL DEFAULT 0,
    first_attempt_at_ms INTEGER,
    due_at_ms           INTEGER NOT NULL,
    -- An earlier one of the same subject comes first.
    blocked             INTEGER NOT NULL CHECK (blocked IN (0, 1)),
    PRIMARY KEY (destination_id, seq)
) STRICT, WITHOUT ROWID;

-- What a claim reads: those that are blocked are not in it, however many they are.
CREATE INDEX deliveries_due ON deliveries (destination_id, due_at_ms, seq) WHERE blocked = 0;

-- The first of each subject.
CREATE INDEX deliveries_subject ON deliveries (destination_id, subject, seq)
    WHERE subject IS NOT NULL;

-- What the event was is copied for dead letters alone: they are shown also when it has left the log.
CREATE TABLE settled_deliveries (
    destination_id INTEGER NOT NULL,
    seq            INTEGER NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('delivered', 'dead_lettered')),
    settled_at_ms  INTEGER NOT NULL,
    attempts_total INTEGER NOT NULL,
    reason         TEXT,
    source         TEXT,
    message_id     TEXT,
    type           TEXT,
    subject        TEXT,
    PRIMARY KEY (destination_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX settled_deliveries_dead ON settled_deliveries (destination_id, seq)
    WHERE state = 'dead_lettered';

-- With a rowid, so that they lie in the order of time, oldest first: that is how they are pruned.
CREATE TABLE attempts (
    id             INTEGER PRIMARY KEY,
    destination_id INTEGER NOT NULL,
    seq            INTEGER NOT NULL,
    number         INTEGER NOT NULL,
    started_at_ms  INTEGER NOT NULL,
    duration_ms    INTEGER NOT NULL,
    status         INTEGER,
    error          TEXT,
    reply          BLOB,
    UNIQUE (seq, destination_id, number)
) STRICT;

-- Events that no destination of a batch wanted: a JSON object, the reason by destination.
CREATE TABLE unwanted_events (
    seq     INTEGER PRIMARY KEY,
    reasons TEXT NOT NULL
) STRICT;

-- One row: the last replay request that was acted on. Those from before there were deliveries have
-- nothing to revive.
CREATE TABLE router (
    replayed_number INTEGER NOT NULL
) STRICT;
INSERT INTO router (replayed_number) SELECT coalesce(max(number), 0) FROM replay_requests;

-- What commands beside the running program ask of it.
CREATE TABLE orders (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    body           TEXT    NOT NULL,
    placed_at_ms   INTEGER NOT NULL,
    outcome        TEXT,
    finished_at_ms INTEGER
) STRICT;

CREATE INDEX orders_open ON orders (number) WHERE outcome IS NULL;
