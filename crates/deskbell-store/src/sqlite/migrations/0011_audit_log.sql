-- Who changed what. AUTOINCREMENT: numbers only grow.
CREATE TABLE audit_log (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms   INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    target  TEXT    NOT NULL,
    details TEXT
) STRICT;
