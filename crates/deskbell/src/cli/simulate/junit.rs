//! A simulation as JUnit XML: a test case a property.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::cli::exit::Failure;
use crate::simulate::{Outcome, Property, PropertyResult, Simulation};

const NAME: &str = "deskbell simulate";

/// The file, which is created before the run: one that cannot be written is said before anything is sent.
pub(super) struct JunitFile {
    path: PathBuf,
    file: File,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("failed to write {}", path.display())]
#[diagnostic(help("name a file in a folder that exists and can be written: --junit report.xml"))]
struct Unwritable {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

impl JunitFile {
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let path = path.to_owned();
        match File::create(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(Failure::failed_with_help(Unwritable { path, source })),
        }
    }

    pub(super) fn write(
        mut self,
        properties: &[Property],
        simulation: &Simulation,
        outcome: &Outcome,
    ) -> Result<(), Failure> {
        let url = simulation.url.expose_secrets();
        // The URL's query or user may be secret: its place is enough.
        let place = format!("{}{}", url.host_str().unwrap_or_default(), url.path());
        let mut suite = TestSuite::new(format!("{NAME} {place}"));
        suite.set_time(outcome.report.elapsed);
        suite.add_property(("seed", simulation.scenario.seed.to_string().as_str()));
        suite.add_property(("events", outcome.report.sent.to_string().as_str()));
        suite.add_test_cases(properties.iter().map(test_case));
        let mut report = Report::new(NAME);
        report.add_test_suite(suite);
        let text = report.to_string().unwrap_or_default();
        let Self { path, .. } = self;
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|source| Failure::failed_with_help(Unwritable { path, source }))
    }
}

fn test_case(property: &Property) -> TestCase {
    let status = match &property.result {
        PropertyResult::Held => TestCaseStatus::success(),
        PropertyResult::Failed(why) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(why.lines().next().unwrap_or_default().to_owned());
            status.set_description(why.clone());
            status
        }
        PropertyResult::Skipped(why) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(*why);
            status
        }
    };
    let mut case = TestCase::new(property.name.clone(), status);
    case.set_classname(NAME);
    case
}
