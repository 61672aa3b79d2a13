//! Where the engine listens: one address for everything, or a second one for what is not public. It
//! listens before there is anything to answer.

use std::net::SocketAddr;

use deskbell_server::routes::{Routers, without_store};
use deskbell_server::{CurrentRoutes, Server, ServerOptions, Tls};

use super::StartError;
use crate::config::ServerConfig;
use crate::tasks::{self, StoppedEarly, TaskGroup};

/// Connections to `admin_listen` at the same time: people and their tools, not senders.
const ADMIN_CONNECTIONS_MAX: usize = 256;

/// The servers.
#[derive(Debug)]
pub(super) struct Listeners {
    public: Listener,
    /// That of `admin_listen`.
    admin: Option<Listener>,
}

/// A server, which answers requests once it is opened.
#[derive(Debug)]
struct Listener {
    address: SocketAddr,
    routes: CurrentRoutes,
    closed: Option<Server>,
    serving: TaskGroup,
}

impl Listeners {
    /// Listens; who posts to one of these paths before there is a store is to try again.
    pub(super) async fn bind(
        config: &ServerConfig,
        paths: impl IntoIterator<Item = &str>,
        tls: Option<&Tls>,
    ) -> Result<Self, StartError> {
        let routes = CurrentRoutes::new(without_store(paths));
        let options = ServerOptions::default();
        let server = Server::bind(config.listen(), options, routes.router()).await?;
        let public = Listener::new(server, routes, tls)?;
        let admin = match config.admin_listen() {
            None => None,
            Some(address) => {
                let routes = CurrentRoutes::new(without_store([]));
                let options = ServerOptions {
                    connections_max: ADMIN_CONNECTIONS_MAX,
                    ..ServerOptions::default()
                };
                let server = Server::bind(address, options, routes.router()).await?;
                Some(Listener::new(server, routes, tls)?)
            }
        };
        Ok(Self { public, admin })
    }

    /// Where events come.
    pub(super) fn address(&self) -> SocketAddr {
        self.public.address
    }

    /// Where the pages are.
    pub(super) fn admin_address(&self) -> SocketAddr {
        self.admin.as_ref().unwrap_or(&self.public).address
    }

    pub(super) fn open(&mut self) {
        self.public.open();
        if let Some(admin) = &mut self.admin {
            admin.open();
        }
    }

    /// Answers by these routes from now on.
    pub(super) fn replace(&self, routers: Routers) {
        self.public.routes.replace(routers.public);
        if let (Some(listener), Some(routes)) = (&self.admin, routers.admin) {
            listener.routes.replace(routes);
        }
    }

    /// Waits until one of the servers has ended.
    pub(super) async fn ended(&mut self) {
        let admin = async {
            match &mut self.admin {
                Some(admin) => {
                    admin.serving.ended().await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.public.serving.ended() => {}
            () = admin => {}
        }
    }

    /// Stops accepting, and drains the requests in flight.
    pub(super) async fn stop(self) -> Result<(), StoppedEarly> {
        let groups = [Some(self.public), self.admin].into_iter().flatten();
        tasks::stop_all(groups.map(|listener| listener.serving)).await
    }
}

impl Listener {
    fn new(server: Server, routes: CurrentRoutes, tls: Option<&Tls>) -> Result<Self, StartError> {
        let server = server.with_tls(tls.cloned());
        let address = server.local_addr().map_err(StartError::Address)?;
        Ok(Self { address, routes, closed: Some(server), serving: TaskGroup::default() })
    }

    fn open(&mut self) {
        if let Some(server) = self.closed.take() {
            self.serving = tasks::start_server(server);
        }
    }
}
