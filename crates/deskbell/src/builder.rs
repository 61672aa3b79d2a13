//! The engine inside a Rust program of one's own, with functions that are called for events.

use std::future::Future;

use clerk_webhooks::Event;
use deskbell_delivery::{HandlerContext, HandlerError, HandlerFunction};

use crate::config::{Config, Environment};
use crate::engine::{Engine, StartError};
use crate::handler::Handler;

/// The engine as a library.
///
/// ```no_run
/// use deskbell::{Deskbell, HandlerError, install_crypto};
///
/// # async fn provision(_: &str) -> Result<(), std::io::Error> { Ok(()) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// install_crypto();
/// let engine = Deskbell::builder()
///     .handle("provision", ["user.created"], |event, cx| async move {
///         let user = event.subject.unwrap_or_default();
///         println!("attempt {} for {user}", cx.attempt);
///         provision(&user).await.map_err(HandlerError::retry)
///     })
///     .start()
///     .await?;
/// tokio::signal::ctrl_c().await?;
/// engine.stop().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Deskbell(());

impl Deskbell {
    /// Begins with no handlers, and the config of `deskbell serve`: `deskbell.toml` in the working
    /// directory, where there is one, and the environment's variables.
    #[must_use]
    pub fn builder() -> Builder {
        Builder { config: None, handlers: Vec::new() }
    }
}

#[derive(Debug)]
pub struct Builder {
    /// `None` where it is still to be read.
    config: Option<Config>,
    handlers: Vec<Handler>,
}

impl Builder {
    /// Takes this config instead, such as one that [`Config::load`] has read.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// Calls a function for every event of these types, or patterns such as `user.*`. `name` is
    /// what its deliveries are kept under: one that is new begins with the next event.
    ///
    /// A call is a delivery like any other: durable, retried, dead-lettered at last. It happens at
    /// least once; `event.id` stays the same when it happens again. A call that does not end within
    /// 15 s, or within the grace period once the engine stops, is dropped, and made again later.
    #[must_use]
    pub fn handle<F, T>(
        mut self,
        name: impl Into<String>,
        events: impl IntoIterator<Item = impl Into<String>>,
        function: F,
    ) -> Self
    where
        F: Fn(Event, HandlerContext) -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.handlers.push(Handler {
            name: name.into(),
            events: events.into_iter().map(Into::into).collect(),
            function: HandlerFunction::new(function),
        });
        self
    }

    /// Starts the engine.
    ///
    /// # Errors
    /// [`StartError`]: what could not be opened, and why. Nothing is running then.
    pub async fn start(self) -> Result<Engine, StartError> {
        let config = match self.config {
            Some(config) => config,
            None => Config::load(None, &Environment::Process)?.config,
        };
        Engine::start_with(&config, self.handlers).await
    }
}
