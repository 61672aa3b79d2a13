//! The self-hosted webhook engine for Clerk, as a library.

pub mod config;

pub use config::Config;
