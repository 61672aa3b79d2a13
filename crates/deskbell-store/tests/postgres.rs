//! The conformance suite on PostgreSQL, directly and through a pooler, and what is particular to a
//! server that several processes share.

mod backend;
mod leases;
mod opening;
mod packing;
#[cfg(feature = "pgbouncer")]
mod pooled;
mod pooler;
mod relay;
mod replicas;
mod retention;
mod silence;
mod subjects;
mod tls;
mod transfer;

mod directly {
    use super::backend::Postgres;
    deskbell_store::conformance_tests!(Postgres::direct());
}

#[cfg(feature = "pgbouncer")]
mod through_a_pooler {
    use super::backend::Postgres;
    deskbell_store::conformance_tests!(Postgres::pooled());
}
