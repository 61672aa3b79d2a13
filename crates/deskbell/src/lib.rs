//! The self-hosted webhook engine for Clerk, as a library: [`Config`] and [`Engine`].
//!
//! The `deskbell` binary is a thin layer over this. A Rust program can hold the same engine:
//!
//! ```no_run
//! use deskbell::config::{Config, Environment};
//! use deskbell::{Engine, install_crypto};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! install_crypto();
//! let loaded = Config::load(None, &Environment::Process)?;
//! let engine = Engine::start(&loaded.config).await?;
//! println!("listening on {}", engine.address());
//! tokio::signal::ctrl_c().await?;
//! engine.stop().await?;
//! # Ok(())
//! # }
//! ```

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod admin;
mod alerts;
mod backend_api;
mod builder;
pub mod cli;
mod command_runner;
pub mod config;
mod delivering;
mod demo;
mod endpoints;
mod engine;
mod explain;
mod handler;
mod init;
mod metrics;
mod mirror_rows;
mod mirrored;
mod outcomes;
mod pruner;
mod search;
mod signals;
mod simulate;
mod tasks;
mod unavailable;
mod used_types;
mod views;

pub use builder::{Builder, Deskbell};
pub use config::Config;
pub use delivering::DeliveringError;
pub use deskbell_delivery::{ChannelError, HandlerContext, HandlerError};
pub use engine::{Engine, StartError, check_databases, check_destinations};
pub use mirrored::{Mirrored, MirroredError};
pub use tasks::StoppedEarly;

/// Makes *ring* the process's provider of cryptography for TLS; later calls change nothing.
pub fn install_crypto() {
    // An error says that there is a provider already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
