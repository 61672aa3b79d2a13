-- What each consumer last said of itself, for processes beside the one that runs it.
CREATE TABLE deskbell.consumer_reports (
    name           text   COLLATE "C" PRIMARY KEY,
    body           text   NOT NULL,
    reported_at_ms bigint NOT NULL
) WITH (fillfactor = 50);
