//! The secret that events are signed with on this machine: made once, and kept for its user alone, so
//! that an application's `.env.local` stays right.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clerk_webhooks::Secret;
use deskbell_devtools::new_secret;
use deskbell_store::private_file;

use super::error::Error;
use crate::config::Environment;

/// The secret that was given, or that of this machine.
pub(super) fn text(given: Option<&str>, environment: &Environment) -> Result<String, Error> {
    if let Some(given) = given {
        Secret::parse(given)?;
        return Ok(given.trim().to_owned());
    }
    let Some(file) = file(environment) else {
        errln!("warning: HOME is not set, and so the secret is for this run alone; pass --secret");
        return Ok(new_secret());
    };
    if let Some(known) = read(&file) {
        return Ok(known);
    }
    let secret = new_secret();
    if let Err(error) = write(&file, &secret) {
        errln!(
            "warning: cannot keep the secret in {}: {error}; it is for this run",
            file.display()
        );
    }
    // Another process may have been quicker.
    Ok(read(&file).unwrap_or(secret))
}

/// Where it is kept; `None` where there is no home.
fn file(environment: &Environment) -> Option<PathBuf> {
    let state = environment.of_process("XDG_STATE_HOME").map(PathBuf::from);
    let home = || environment.of_process("HOME").map(PathBuf::from);
    let state = state.or_else(|| home().map(|home| home.join(".local").join("state")))?;
    Some(state.join("deskbell").join("listen-secret"))
}

fn read(file: &PathBuf) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let text = text.trim();
    Secret::parse(text).is_ok().then(|| text.to_owned())
}

fn write(file: &PathBuf, secret: &str) -> std::io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    private_file::options().write(true).create_new(true).open(file)?.write_all(secret.as_bytes())
}
