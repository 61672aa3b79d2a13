-- How an event came; null for a signed request, which takes nothing beside the row's header.
ALTER TABLE events ADD COLUMN origin TEXT;
