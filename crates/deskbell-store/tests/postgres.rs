//! The conformance suite on PostgreSQL, directly and through a pooler, and what is particular to a
//! server that several processes share.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "postgres/backend.rs"]
mod backend;
#[path = "postgres/leases.rs"]
mod leases;
#[path = "postgres/opening.rs"]
mod opening;
#[path = "postgres/place.rs"]
mod place;
#[cfg(feature = "pgbouncer")]
#[path = "postgres/pooled.rs"]
mod pooled;
#[path = "postgres/pooler.rs"]
mod pooler;
#[path = "postgres/relay.rs"]
mod relay;
#[path = "postgres/replicas.rs"]
mod replicas;
#[path = "postgres/silence.rs"]
mod silence;
#[path = "postgres/subjects.rs"]
mod subjects;
#[path = "postgres/tls.rs"]
mod tls;
#[path = "postgres/transfer.rs"]
mod transfer;
#[path = "postgres/upkeep.rs"]
mod upkeep;

mod directly {
    use crate::backend::Postgres;
    deskbell_store::conformance_tests!(Postgres::direct());
}

#[cfg(feature = "pgbouncer")]
mod through_a_pooler {
    use crate::backend::Postgres;
    deskbell_store::conformance_tests!(Postgres::pooled());
}
