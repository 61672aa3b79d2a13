//! The official libraries that tests speak to, what an example stands on, and a browser: Node and Python packages at
//! locked versions, and Debian's Chromium.
//!
//! `tests/interop/README.md` says how to do the same by hand.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::prerequisites::{self, Version};
use crate::report::NotRun;
use crate::step::Step;
use crate::{unpacked, workspace};

/// The features of the tests with the official clients.
const INTEROP: &[&str] =
    &["clerk-webhooks/interop", "deskbell-delivery/interop", "deskbell/interop"];
const LOCKS: &str = "tests/interop";

struct Packages {
    what: &'static str,
    /// The features of the tests that need them.
    features: &'static [&'static str],
    /// The programs, each with the oldest version that will do.
    programs: &'static [(&'static str, Version)],
    debian: &'static [&'static str],
    /// The directory of the manifests.
    from: &'static str,
    /// The files that name the packages, the lock file last.
    manifests: &'static [&'static str],
    /// The directory under `target/interop` that they are installed into.
    into: &'static str,
    install: fn(&Path) -> Vec<Step>,
}

const PACKAGES: [Packages; 11] = [
    Packages {
        what: "interop with the npm packages svix (1.x and 2.x), standardwebhooks, @clerk/backend and express",
        features: INTEROP,
        programs: &[("node", Version(20, 9)), ("npm", Version(0, 0))],
        debian: &["nodejs", "npm"],
        from: LOCKS,
        manifests: &["package.json", "package-lock.json"],
        into: "node",
        install: npm,
    },
    Packages {
        what: "the dashboard in Chromium, with the npm packages selenium-webdriver and axe-core",
        features: &["deskbell/interop"],
        programs: &[("chromium", Version(110, 0)), ("chromedriver", Version(110, 0))],
        debian: &["chromium", "chromium-driver"],
        from: LOCKS,
        manifests: &["package.json", "package-lock.json"],
        into: "node",
        install: npm,
    },
    Packages {
        what: "deskbell mcp with the npm package @modelcontextprotocol/sdk",
        features: &["deskbell/interop"],
        programs: &[("node", Version(20, 9)), ("npm", Version(0, 0))],
        debian: &["nodejs", "npm"],
        from: "tests/interop/mcp",
        manifests: &["package.json", "package-lock.json"],
        into: "mcp",
        install: npm,
    },
    Packages {
        what: "doctor at handlers with the npm packages express, fastify, hono, svix and @clerk/*",
        features: &["deskbell/interop"],
        programs: &[("node", Version(20, 9)), ("npm", Version(0, 0))],
        debian: &["nodejs", "npm"],
        from: "tests/interop/handlers",
        manifests: &["package.json", "package-lock.json"],
        into: "handlers",
        install: npm,
    },
    Packages {
        what: "the examples with the npm package prisma",
        features: &["deskbell/interop"],
        programs: &[("node", Version(20, 9)), ("npm", Version(0, 0))],
        debian: &["nodejs", "npm"],
        from: "examples/prisma",
        manifests: &["package.json", "package-lock.json"],
        into: "prisma",
        install: npm,
    },
    Packages {
        what: "the example with the npm package drizzle-orm",
        features: &["deskbell/interop"],
        programs: &[("node", Version(20, 9)), ("npm", Version(0, 0))],
        debian: &["nodejs", "npm"],
        from: "examples/drizzle-app",
        manifests: &["package.json", "package-lock.json"],
        into: "drizzle",
        install: npm,
    },
    Packages {
        what: "the pages about Next.js and Express, with the npm packages @clerk/nextjs, @clerk/express, next and typescript",
        features: &["deskbell/interop"],
        programs: &[("node", Version(20, 9)), ("npm", Version(0, 0))],
        debian: &["nodejs", "npm"],
        from: "tests/interop/docs",
        manifests: &["package.json", "package-lock.json"],
        into: "docs",
        install: npm,
    },
    Packages {
        what: "models of the mirror with the npm packages prisma, drizzle-orm, kysely and typescript",
        features: &["deskbell/interop"],
        programs: &[("node", Version(20, 19)), ("npm", Version(0, 0))],
        debian: &["nodejs", "npm"],
        from: "tests/interop/models",
        manifests: &["package.json", "package-lock.json"],
        into: "models",
        install: npm,
    },
    Packages {
        what: "the example with the PyPI package django",
        features: &["deskbell/interop"],
        programs: &[("python3", Version(3, 11)), ("pip3", Version(0, 0))],
        debian: &["python3", "python3-pip"],
        from: "examples/django",
        manifests: &["requirements.txt"],
        into: "django",
        install: pip,
    },
    Packages {
        what: "the admin API with the PyPI package schemathesis",
        features: &["deskbell/interop"],
        programs: &[("python3", Version(3, 11)), ("pip3", Version(0, 0))],
        debian: &["python3", "python3-pip"],
        from: "tests/interop/schemathesis",
        manifests: &["requirements.txt"],
        into: "schemathesis",
        install: pip,
    },
    Packages {
        what: "interop with the PyPI packages svix and standardwebhooks",
        features: INTEROP,
        programs: &[("python3", Version(3, 11)), ("pip3", Version(0, 0))],
        debian: &["python3", "python3-pip"],
        from: LOCKS,
        manifests: &["requirements.txt"],
        into: "python",
        install: pip,
    },
];

/// Installs what the interop tests need. Returns the features to leave out, and reports why.
pub(crate) fn features_without(not_run: &mut Vec<NotRun>) -> Vec<String> {
    let mut features = BTreeSet::new();
    for packages in &PACKAGES {
        if let Some(missing) = packages.missing() {
            not_run.push(missing);
            features.extend(packages.features.iter().copied());
        }
    }
    features.into_iter().map(str::to_owned).collect()
}

impl Packages {
    fn missing(&self) -> Option<NotRun> {
        let not_run = |install: String| NotRun { what: self.what.to_owned(), install };
        for (program, oldest) in self.programs {
            if !prerequisites::ensure_packages(program, *oldest, self.debian) {
                let packages = self.debian.join(", ");
                return Some(not_run(format!("install {packages} ({program} {oldest} or later)")));
            }
        }
        match self.install() {
            Ok(true) => None,
            Ok(false) => Some(not_run("its packages could not be installed (see above)".into())),
            Err(error) => Some(not_run(format!("failed to prepare target/interop: {error}"))),
        }
    }

    /// Installs the packages, unless the same lock file was installed before.
    fn install(&self) -> io::Result<bool> {
        let directory = workspace::target().join("interop").join(self.into);
        let mut locked = String::new();
        for manifest in self.manifests {
            locked += &fs::read_to_string(workspace::root().join(self.from).join(manifest))?;
        }
        let stamp = directory.join("installed");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == locked) {
            return Ok(true);
        }
        fs::create_dir_all(&directory)?;
        for manifest in self.manifests {
            copy(&workspace::root().join(self.from).join(manifest), &directory)?;
        }
        let done = prerequisites::succeed(&(self.install)(&directory));
        if done {
            fs::write(stamp, locked)?;
        }
        Ok(done)
    }
}

fn copy(file: &Path, directory: &Path) -> io::Result<()> {
    let into: PathBuf = file.file_name().map(|name| directory.join(name)).unwrap_or_default();
    fs::copy(file, into).map(|_| ())
}

fn npm(directory: &Path) -> Vec<Step> {
    let directory = directory.display().to_string();
    let args = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", &directory];
    vec![Step::new("npm packages", "npm", &args)]
}

/// By a Python that has no other packages, which would be held against these.
fn pip(directory: &Path) -> Vec<Step> {
    let environment = directory.join("environment").display().to_string();
    let python = directory.join("environment/bin/python").display().to_string();
    let requirements = directory.join("requirements.txt").display().to_string();
    let directory = directory.join("packages").display().to_string();
    let args = [
        "--python",
        &python,
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "--upgrade",
        "--target",
        &directory,
        "--requirement",
        &requirements,
    ];
    let make = ["-m", "venv", "--clear", "--without-pip", &environment];
    vec![
        Step::new("Python environment", "python3", &make),
        // Where pip itself was unpacked, the system's Python does not look there.
        Step::new("Python packages", "pip3", &args).for_this_run(
            "PYTHONPATH",
            unpacked::root().join("usr/lib/python3/dist-packages").display().to_string(),
        ),
    ]
}
