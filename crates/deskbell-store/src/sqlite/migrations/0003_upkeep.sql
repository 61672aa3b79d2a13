-- One row: payloads up to this place have been emptied, so that nobody looks there again.
CREATE TABLE upkeep (
    payloads_emptied_seq INTEGER NOT NULL
) STRICT;
INSERT INTO upkeep VALUES (0);

-- One-time codes that are still in the log: few, since they leave it after a day.
CREATE INDEX events_one_time_codes ON events (seq)
    WHERE type IN ('email.created', 'sms.created') AND length(payload) > 0;

-- A replay request goes with its event.
CREATE INDEX replay_requests_seq ON replay_requests (seq);

-- Whom events name, by id or email address: only where people are to be erased.
CREATE TABLE event_people (
    person TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (person, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX event_people_seq ON event_people (seq);

-- Users who are gone, by the event that said so. A row stays as long as that event: something that
-- names the user may still come.
CREATE TABLE erasures (
    seq  INTEGER PRIMARY KEY,
    user TEXT    NOT NULL
) STRICT;
