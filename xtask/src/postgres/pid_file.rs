//! `postmaster.pid`: what a server writes into its cluster, and leaves there when it is killed.
//!
//! Its lines are described in <https://www.postgresql.org/docs/current/storage-file-layout.html>; the first is a process.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The file's name in a cluster.
pub(crate) const NAME: &str = "postmaster.pid";

/// What such a file says about the server that wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leftover {
    None,
    Running,
    /// That server is gone; the process may be another program's by now.
    Gone,
}

/// Looks for a server that runs on the cluster.
pub(crate) fn leftover(cluster: &Path) -> Leftover {
    let Ok(text) = fs::read_to_string(cluster.join(NAME)) else { return Leftover::None };
    let command_line = process(&text).and_then(command_line);
    match command_line {
        Some(command_line) if serves(&command_line, cluster) => Leftover::Running,
        _ => Leftover::Gone,
    }
}

fn process(text: &str) -> Option<u32> {
    text.lines().next()?.trim().parse().ok()
}

/// Whether a command line is that of a server on the cluster.
fn serves(command_line: &str, cluster: &Path) -> bool {
    let cluster = cluster.display().to_string();
    command_line.contains("postgres")
        && command_line.split(['\0', ' ', '\n']).any(|word| word == cluster)
}

/// A process's command line: from `/proc` where there is one, else as `ps` tells it.
fn command_line(process: u32) -> Option<String> {
    let listed = fs::read(format!("/proc/{process}/cmdline")).or_else(|_| {
        let process = process.to_string();
        Command::new("ps").args(["-p", &process, "-o", "command="]).output().map(|ps| ps.stdout)
    });
    Some(String::from_utf8_lossy(&listed.ok()?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_process() {
        assert_eq!(process("4711\n/srv/cluster\n1700000000\n5433\n\n127.0.0.1\n"), Some(4711));
        assert_eq!(process(""), None);
        assert_eq!(process("-1\n"), None);
    }

    #[test]
    fn a_server_is_known_by_its_cluster() {
        let cluster = Path::new("/a/cluster-15");
        for (command_line, expected) in [
            ("/usr/bin/postgres\0-D\0/a/cluster-15\0-c\0fsync=off\0", true),
            ("/usr/bin/postgres -D /a/cluster-15 -c fsync=off\n", true),
            ("/usr/bin/postgres\0-D\0/a/cluster-15-old\0", false),
            ("vim\0/a/cluster-15\0", false),
            ("", false),
        ] {
            assert_eq!(serves(command_line, cluster), expected, "{command_line:?}");
        }
    }

    #[test]
    fn no_file_is_no_leftover() {
        assert_eq!(leftover(Path::new("/nowhere")), Leftover::None);
    }
}
