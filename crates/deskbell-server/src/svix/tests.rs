//! The routes, over a Deskbell that is in memory.

mod applications;
mod attempts;
mod client;
mod desk;
mod endpoints;
mod messages;
mod replays;
mod routes;
