-- Requests that were refused, by source and cause: they only grow, and there are few rows.
CREATE TABLE deskbell.refused_requests (
    source   text COLLATE "C" NOT NULL,
    cause    text COLLATE "C" NOT NULL,
    requests bigint NOT NULL,
    PRIMARY KEY (source, cause)
) WITH (fillfactor = 50);
