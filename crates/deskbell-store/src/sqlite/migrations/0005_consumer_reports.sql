-- What each consumer last said of itself, for processes beside the one that runs it.
CREATE TABLE consumer_reports (
    name           TEXT    PRIMARY KEY,
    body           TEXT    NOT NULL,
    reported_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
