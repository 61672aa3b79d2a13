//! Developer commands: `cargo xtask test`, `cargo xtask postgres`, `cargo xtask bench`, `cargo xtask faults`.

mod bench;
mod environment;
mod faults;
mod fuzz;
mod interop;
mod licences;
mod missing_programs;
mod plan;
mod pooler;
mod postgres;
mod prerequisites;
mod report;
mod step;
mod test;
mod unpacked;
mod with_postgres;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the full test suite: format, lints, tests, docs
    Test(test::Options),
    /// Run a command with the tests' PostgreSQL server, such as cargo nextest run -p deskbell-sync
    Postgres(with_postgres::Options),
    /// Run the benchmarks, print a table, write target/bench/NAME.json
    Bench(bench::Options),
    /// Inject faults into replicas under load and check the guarantees after each
    Faults(faults::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    missing_programs::provide();
    match arguments.command {
        Command::Test(options) => test::run(&options),
        Command::Postgres(options) => with_postgres::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Faults(options) => faults::run(&options),
    }
}
