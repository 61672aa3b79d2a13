-- Requests that were refused, by source and cause: they only grow, and there are few rows.
CREATE TABLE refused_requests (
    source   TEXT    NOT NULL,
    cause    TEXT    NOT NULL,
    requests INTEGER NOT NULL,
    PRIMARY KEY (source, cause)
) STRICT, WITHOUT ROWID;
