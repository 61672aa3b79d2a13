-- One row while a log is copied here from another store: nobody else opens this one until it is whole.
CREATE TABLE deskbell.transfers (
    log_id   text        NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now()
);
