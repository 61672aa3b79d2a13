-- A destination is disabled by how long everything has failed, how often, and how late. What the
-- release before counted (failing_since_ms, told_percent) is no longer read.
ALTER TABLE deskbell.destinations
    ADD COLUMN failed_attempts    bigint NOT NULL DEFAULT 0,
    ADD COLUMN last_failure_at_ms bigint,
    -- Deliveries that were ever given up on: it only grows, so that who looks now and then misses
    -- none.
    ADD COLUMN dead_letters_total bigint NOT NULL DEFAULT 0;
