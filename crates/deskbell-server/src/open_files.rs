//! The process's limit of open files: connections must leave some for the databases.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that everything but connections may have open: databases, deliveries, the config. Strangers'
/// connections never take these.
const OTHER_FILES: u64 = 256;

/// How many connections there may be of so many. The soft limit is raised where it is too low, as far
/// as the hard one lets us.
pub(crate) fn connections_of(wanted: usize) -> usize {
    let needed = (wanted as u64).saturating_add(OTHER_FILES);
    let limit = getrlimit(Resource::Nofile);
    let allowed = match limit.current {
        Some(current) if current < needed => raise(limit, needed).unwrap_or(current),
        _ => return wanted,
    };
    let left = within(wanted, allowed);
    if left < wanted {
        tracing::warn!(
            connections_max = left,
            open_files_max = allowed,
            "the limit of open files allows fewer connections than the default; raise it (`ulimit \
             -n`)"
        );
    }
    left
}

fn raise(limit: Rlimit, needed: u64) -> Option<u64> {
    let raised = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    setrlimit(Resource::Nofile, Rlimit { current: Some(raised), ..limit }).ok()?;
    Some(raised)
}

/// Where files are scarce, connections get half of them at least.
fn within(wanted: usize, allowed: u64) -> usize {
    let left = allowed.saturating_sub(OTHER_FILES).max(allowed / 2);
    usize::try_from(left).unwrap_or(wanted).clamp(1, wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_rest() {
        for (wanted, allowed, left) in [
            (1_056, 1_312, 1_056),
            (1_056, 1_311, 1_055),
            (1_056, 400, 200),
            (1_056, 0, 1),
            (3, 9, 3),
        ] {
            assert_eq!(within(wanted, allowed), left, "{wanted} of {allowed}");
        }
    }
}
