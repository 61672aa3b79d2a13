//! `cargo xtask test`: everything that must hold before a change lands.

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use crate::plan::{self, Tests};
use crate::report::Report;
use crate::step::Step;
use crate::{
    environment, faults, fuzz, interop, licences, pooler, postgres, prerequisites, workspace,
};

#[derive(Args)]
pub(crate) struct Options {
    /// Also the tests that take long to build or to install: what continuous integration runs
    #[arg(long)]
    all: bool,
    /// The same at depth: 50 kills, more cases a property, fuzzing, licences and advisories
    #[arg(long)]
    long: bool,
}

/// Runs the steps until one fails, and ends with what the tests came to and what was not run.
pub(crate) fn run(options: &Options) -> ExitCode {
    let started = Instant::now();
    let mut report = Report::default();
    run_all(options, &mut report);
    eprintln!("\n=== {:.0} s in all", started.elapsed().as_secs_f64());
    report.finish(environment::is_ci())
}

/// Stops early once a step has failed, which the report then names.
fn run_all(options: &Options, report: &mut Report) {
    let all = options.all || options.long;
    if !run_steps(&plan::lints(all), report) {
        return;
    }
    let mut features_without = interop::features_without(&mut report.not_run);
    features_without.extend(pooler::features_without(&mut report.not_run));
    // Stopped at the end of this function.
    let postgres = postgres::provide(&mut report.not_run);
    if postgres.url.is_none() {
        // Half of what the mirror promises stands on it: a run without it must not look like a pass.
        report.failed_step = Some("start a PostgreSQL server for the tests".to_owned());
        return;
    }
    let nextest = prerequisites::has("cargo", &["nextest", "--version"]);
    let url = postgres.url.clone();
    let features = plan::features(&workspace::features(), &features_without);
    let tests = Tests { nextest, features, long: options.long, postgres: url };
    let mut steps = vec![plan::tests(&tests)];
    // On a server of their own, which they may crash.
    steps.extend(faults::short(&mut report.not_run));
    steps.extend(plan::interop_with_crates(all));
    if !all {
        report.only_with_all.push("interop with the crate svix");
    }
    steps.extend(plan::documentation(&tests));
    if !run_steps(&steps, report) || !options.long {
        return;
    }
    let licences = licences::steps(&mut report.not_run);
    let fuzzing = fuzz::steps(&mut report.not_run);
    run_steps(&[licences, fuzzing].concat(), report);
}

fn run_steps(steps: &[Step], report: &mut Report) -> bool {
    steps.iter().all(|step| {
        let success = match step.run() {
            Ok(outcome) => {
                report.closing_lines.extend(outcome.closing_lines);
                outcome.success
            }
            Err(error) => {
                eprintln!("failed to start {}: {error}", step.program);
                false
            }
        };
        if !success {
            report.failed_step = Some(step.to_string());
        }
        success
    })
}
