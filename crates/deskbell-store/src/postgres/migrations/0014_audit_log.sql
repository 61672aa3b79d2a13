-- Who changed what.
CREATE TABLE deskbell.audit_log (
    number  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms   bigint NOT NULL,
    who     text   NOT NULL,
    action  text   NOT NULL,
    target  text   NOT NULL,
    details text
);
