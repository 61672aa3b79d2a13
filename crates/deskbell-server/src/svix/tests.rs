//! The routes, over a Deskbell that is in memory.

mod applications;
mod client;
mod desk;
mod routes;
