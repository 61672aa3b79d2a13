//! A private server, which ends with the run: also when the run is interrupted or killed.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};

use super::account::Account;
use super::cluster::Cluster;
use super::programs::Programs;

/// The server's settings, beside its port.
const SETTINGS: [(&str, &str); 5] = [
    ("listen_addresses", "127.0.0.1"),
    // A path below target/ may be longer than a socket's may be.
    ("unix_socket_directories", ""),
    // Every test has several connections, and as many tests run as there are cores.
    ("max_connections", "200"),
    // What these tests hold the product to is what is committed, not what the disk keeps: a cluster that a loss of power
    // broke is created again.
    ("fsync", "off"),
    ("full_page_writes", "off"),
];
/// Starts the server, says so, and stops it when the standard input ends: when the run has let go of it or is gone.
const SUPERVISE: &str = r#"
"$1" start --silent --wait --timeout=60 --pgdata="$2" --log="$3" --options="$4" || exit 1
echo ready
cat >/dev/null
"$1" stop --silent --mode=fast --timeout=30 --pgdata="$2" || "$1" stop --silent --mode=immediate --pgdata="$2"
"#;
/// How much of the server's log is shown when it does not start.
const LOG_LINES_SHOWN: usize = 10;

/// A server that runs. It is stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    supervisor: Child,
    port: u16,
}

impl Server {
    /// Starts a server on a free port and waits until it answers.
    pub(crate) fn start(
        programs: &Programs,
        account: &Account,
        cluster: &Cluster,
    ) -> io::Result<Self> {
        let port = free_port()?;
        let log = cluster.base.join("log");
        let mut command = account.command("sh");
        command.args(["-c", SUPERVISE, "sh"]).arg(programs.path("pg_ctl"));
        command.args([&cluster.data, &log]).arg(options(port));
        command.current_dir(&cluster.base).env("HOME", &cluster.base);
        // An interrupt from the keyboard must not end the supervisor before it has stopped the server.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut server = Self { supervisor: command.spawn()?, port };
        let mut line = String::new();
        if let Some(stdout) = server.supervisor.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if line == "ready\n" {
            return Ok(server);
        }
        let log = fs::read_to_string(log).unwrap_or_default();
        Err(io::Error::other(format!("its log ends:\n{}", last_lines(&log))))
    }

    /// Where the server is, for a role that may do everything.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        if let Err(error) = self.supervisor.wait() {
            eprintln!("failed to wait for the PostgreSQL server to stop: {error}");
        }
    }
}

/// A port that nobody had a moment ago.
fn free_port() -> io::Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr().map(|address| address.port())
}

/// As `pg_ctl` takes them; no value has a space or a quote.
fn options(port: u16) -> String {
    let settings = SETTINGS.iter().map(|(name, value)| format!(" -c {name}={value}"));
    format!("-p {port}{}", settings.collect::<String>())
}

fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_plain_words() {
        let options = options(5433);
        assert!(options.starts_with("-p 5433 -c listen_addresses=127.0.0.1"), "{options}");
        assert!(options.contains(" -c fsync=off"), "{options}");
        assert!(!options.contains(['\'', '"', '$', ';']), "{options}");
    }

    #[test]
    fn the_end_of_a_log_is_shown() {
        let log: String = (0..30).map(|line| format!("{line}\n")).collect();
        assert!(last_lines(&log).starts_with("20\n"));
        assert_eq!(last_lines("one\n"), "one");
        assert_eq!(last_lines(""), "");
    }
}
