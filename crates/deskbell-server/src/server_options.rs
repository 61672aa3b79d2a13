//! What clients may cost a server.

use std::time::Duration;

use crate::open_files;

#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Requests that are answered at the same time, not counting those whose body still comes in;
    /// further ones get 503, but for `/healthz` and `/readyz`.
    pub connections_max: usize,
    /// Connections beside these, so that health is answered whatever the others wait for. Where all
    /// are taken, idle and slow ones are ended for new ones.
    pub spare_connections: usize,
    /// How long a connection may take to send a request's head, or stay idle between two; then it
    /// is ended.
    pub head_timeout: Duration,
    /// How long a client may leave what it is sent unread; then its connection is ended.
    pub write_timeout: Duration,
    /// How long requests in flight may take when the server shuts down; then their connections are cut.
    pub grace: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            spare_connections: 32,
            head_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            grace: Duration::from_secs(10),
        }
    }
}

impl ServerOptions {
    /// With so many connections that the process can still open other files.
    pub(crate) fn within_open_files(self) -> Self {
        let wanted = self.connections_max.max(1).saturating_add(self.spare_connections);
        let possible = open_files::connections_of(wanted);
        if possible == wanted {
            return self;
        }
        let spare_connections = self.spare_connections.min(possible / 4);
        Self { connections_max: possible - spare_connections, spare_connections, ..self }
    }
}
