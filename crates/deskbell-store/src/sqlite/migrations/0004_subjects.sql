-- Which events are about a subject. Filled behind the log's end, in the background: an append that
-- wrote here too would take twice as long once the log is long.
CREATE TABLE event_subjects (
    subject TEXT    NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (subject, seq)
) STRICT, WITHOUT ROWID;

-- One row: the events up to this place are in `event_subjects`.
CREATE TABLE subject_index (
    indexed_seq INTEGER NOT NULL
) STRICT;
INSERT INTO subject_index VALUES (0);
