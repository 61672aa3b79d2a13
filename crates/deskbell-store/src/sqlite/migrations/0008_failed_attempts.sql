-- A destination is disabled by how long everything has failed, how often, and how late. What the
-- release before counted (failing_since_ms, told_percent) is no longer read.
ALTER TABLE destinations ADD COLUMN failed_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE destinations ADD COLUMN last_failure_at_ms INTEGER;

-- Deliveries that were ever given up on: it only grows, so that who looks now and then misses none.
ALTER TABLE destinations ADD COLUMN dead_letters_total INTEGER NOT NULL DEFAULT 0;
