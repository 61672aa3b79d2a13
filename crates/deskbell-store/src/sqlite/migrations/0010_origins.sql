-- How an event came; null for a signed request. Last in the row, so that nobody who reads what is
-- before the payload reads the payload.
ALTER TABLE events ADD COLUMN origin TEXT;
