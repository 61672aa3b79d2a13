//! The program as its users run it: real processes, real files, real HTTP.

mod admin;
mod alerts;
mod backfill;
mod backup;
#[cfg(feature = "interop")]
mod browser;
mod check;
mod completions;
mod connect;
mod dead_letters;
mod default_mirror;
mod deliveries;
mod demo;
mod doctor;
mod erasure;
mod examples;
mod explain;
mod help;
mod init;
#[cfg(feature = "interop")]
mod interop;
mod kill;
mod kill_deliveries;
mod listen;
mod listening;
mod logging;
mod messages;
mod metrics;
mod mirror_away;
#[cfg(feature = "interop")]
mod models;
mod outcomes;
mod proxy;
mod read_only;
mod rebuild;
mod reconcile;
mod refetch;
mod reload;
mod replicas;
mod retention;
mod schema;
#[cfg(feature = "interop")]
mod schemathesis;
mod sender;
mod serve;
mod sign_up;
mod simulate;
mod stop;
mod store_away;
mod subjects;
mod support;
#[cfg(feature = "interop")]
mod svix_clients;
#[cfg(target_os = "linux")]
mod terminal;
mod tokens;
mod trigger;
mod verify;
