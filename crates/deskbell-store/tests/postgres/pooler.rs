//! A PgBouncer in transaction mode in front of the test server.

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use deskbell_store::PostgresOptions;
use tempfile::TempDir;
use testkit::{PostgresDatabase, PostgresServer};

/// Started for one test, ended with it.
pub(crate) struct Pooler {
    child: Child,
    port: u16,
    _directory: TempDir,
}

impl Pooler {
    pub(crate) async fn start(server: &PostgresServer) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let users = directory.path().join("users.txt");
        std::fs::write(&users, format!("\"{}\" \"{}\"\n", server.user(), server.password()))
            .unwrap();
        let (host, server_port) = server.address();
        // Few connections to the server, so that transactions wander between them.
        let config = format!(
            "[databases]\n* = host={host} port={server_port}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {users}\npool_mode = transaction\n\
             default_pool_size = 3\nmax_client_conn = 200\n",
            users = users.display(),
        );
        let file = directory.path().join("pgbouncer.ini");
        std::fs::write(&file, config).unwrap();
        let readable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(directory.path(), readable).unwrap();
        let mut command = Command::new("pgbouncer");
        // It does not run as root.
        if std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
            command.args(["-u", "nobody"]);
        }
        let child = command.arg("-q").arg(&file).stderr(Stdio::null()).spawn().expect(
            "the program pgbouncer; install it with `apt-get install pgbouncer`, its service is not needed",
        );
        let pooler = Self { child, port, _directory: directory };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "pgbouncer does not listen");
            tokio::task::yield_now().await;
        }
        pooler
    }

    /// The options of a store in the database, behind this pooler.
    pub(crate) fn options(&self, database: &PostgresDatabase) -> PostgresOptions {
        PostgresOptions::new(database.url_at(format!("127.0.0.1:{}", self.port)))
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).unwrap();
    }
}
