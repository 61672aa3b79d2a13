-- The length of a payload that is stored compressed; null where it is stored as it is.
ALTER TABLE events ADD COLUMN payload_bytes INTEGER;
