//! The programs that tests need and this machine lacks.

use crate::prerequisites::{self, Version};
use crate::{faults, postgres, unpacked};

/// Unpacks what is missing and begins the command once more with it. Where that fails, the command goes on without.
pub(crate) fn provide() {
    if !unpacked::is_possible() {
        return;
    }
    let packages = missing();
    if !packages.is_empty() {
        unpacked::begin_again_with(&packages);
    }
}

/// The packages that have what is missing here.
fn missing() -> Vec<&'static str> {
    let lacks =
        |program, oldest| prerequisites::version(program).is_none_or(|found| found < oldest);
    let mut packages = Vec::new();
    if lacks("node", Version(20, 9)) || lacks("npm", Version(0, 0)) {
        packages.extend(["nodejs", "npm"]);
    }
    if lacks("pip3", Version(0, 0)) {
        packages.extend(["python3", "python3-pip"]);
    }
    if lacks("pgbouncer", Version(1, 15)) {
        packages.push("pgbouncer");
    }
    if !postgres::is_found() {
        packages.push("postgresql");
    }
    if faults::faketime_library().is_none() {
        packages.push("libfaketime");
    }
    packages
}
