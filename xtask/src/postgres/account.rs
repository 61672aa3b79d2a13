//! Whom PostgreSQL runs as: it refuses to be root.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Whom root runs the server as: the first that the system knows.
const STAND_INS: [&str; 2] = ["postgres", "nobody"];

/// The user that runs the server's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account {
    /// Whoever runs the tests, by number.
    Ourselves(u32),
    /// Another, since we are root.
    StandIn { user: u32, group: u32 },
}

impl Account {
    /// Ourselves, or root's stand-in. Says what is missing where there is none.
    pub(crate) fn choose() -> Result<Self, String> {
        match id(&["-u"]) {
            Some(0) => STAND_INS.iter().find_map(|name| stand_in(name)).ok_or_else(|| {
                format!("PostgreSQL refuses to be root: add a user {}", STAND_INS.join(" or "))
            }),
            Some(user) => Ok(Self::Ourselves(user)),
            None => Err("the program id does not say who runs the tests".to_owned()),
        }
    }

    /// A command that runs as the account. A stand-in has no groups beside its own: the standard library clears root's.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Self::StandIn { user, group } = self {
            command.uid(*user).gid(*group);
        }
        command
    }

    pub(crate) fn give(&self, directory: &Path) -> io::Result<()> {
        match self {
            Self::Ourselves(_) => Ok(()),
            Self::StandIn { user, group } => chown(directory, Some(*user), Some(*group)),
        }
    }

    /// Whether what a user owns is safe to use: the account's own, or root's.
    pub(crate) fn trusts(&self, owner: u32) -> bool {
        match self {
            Self::Ourselves(user) | Self::StandIn { user, .. } => owner == *user || owner == 0,
        }
    }
}

fn stand_in(name: &str) -> Option<Account> {
    Some(Account::StandIn { user: id(&["-u", name])?, group: id(&["-g", name])? })
}

fn id(args: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(args).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_ours_or_roots_is_trusted() {
        for account in [Account::Ourselves(7), Account::StandIn { user: 7, group: 8 }] {
            assert!(account.trusts(7) && account.trusts(0));
            assert!(!account.trusts(8));
        }
    }

    #[test]
    fn root_is_never_the_account() {
        let account = Account::choose();
        assert!(!matches!(account, Ok(Account::Ourselves(0) | Account::StandIn { user: 0, .. })));
    }
}
