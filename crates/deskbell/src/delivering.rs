//! Deliveries, assembled from the config: routes, channels and workers.

use std::sync::Arc;
use std::time::Duration;

use deskbell_config::NOTICE_TYPE;
use deskbell_delivery::{
    Channel, ChannelConfig, ChannelError, DeliveryConfig, Filter, HandlerChannel, HealthPolicy,
    Replayer, Route, Router, RouterOptions, Worker, WorkerOptions,
};
use deskbell_expr::{Expression, ExpressionError, event_types};
use deskbell_store::deliveries::{Destinations, Ordering, Registration, StartFrom};
use deskbell_store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::config::{self, Config, DestinationConfig};
use crate::handler::Handler;

/// How often pending deliveries are counted for the metrics.
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// A destination whose config is invalid.
#[derive(Debug, thiserror::Error)]
pub enum DeliveringError {
    /// Its channel, or a template that fails on a sample of an event that the destination takes.
    #[error("invalid destination `{destination}`")]
    Channel { destination: String, source: ChannelError },
    #[error("invalid `when` of destination `{destination}`")]
    When { destination: String, source: ExpressionError },
    /// A handler names an event type that is misspelt.
    #[error("handler `{handler}`: unknown event type `{events}`, did you mean `{near}`?")]
    Events { handler: String, events: String, near: String },
    #[error("two destinations are named `{0}`")]
    NameTaken(String),
}

/// The destinations that have a queue.
#[derive(Debug, Default)]
pub(crate) struct Delivering {
    destinations: Vec<Destination>,
    router: RouterOptions,
    warnings: Vec<String>,
}

#[derive(Debug)]
struct Destination {
    config: WorkerConfig,
    registration: Registration,
    route: Route,
    worker: WorkerOptions,
    channel: Arc<dyn Channel>,
}

/// What a worker was made from. It keeps running while a reload leaves this unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WorkerConfig {
    Destination {
        destination: Box<DestinationConfig>,
        disable_after: Option<config::Duration>,
    },
    /// A function of the program.
    Handler(String),
}

impl WorkerConfig {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Destination { destination, .. } => &destination.name,
            Self::Handler(name) => name,
        }
    }
}

impl Delivering {
    /// From the config and the handlers; it connects to nothing. `stopping` tells handlers when the
    /// program begins to stop.
    pub(crate) fn new(
        config: &Config,
        handlers: Vec<Handler>,
        stopping: &CancellationToken,
    ) -> Result<Self, DeliveringError> {
        let (mut destinations, mut warnings) = (Vec::new(), Vec::new());
        for destination in config.destinations.iter().filter(|one| one.enabled) {
            let kind = destination.kind.channel_config();
            let (Some(kind), Some(delivery)) = (kind, &destination.delivery) else { continue };
            destinations.push(Destination::of_config(destination, kind, delivery, config)?);
            let known = event_types::known_only(delivery.events.as_deref());
            let channel = destinations.last().map(|destination| &destination.channel);
            warnings.extend(channel.into_iter().flat_map(|channel| channel.unknown_paths(&known)));
        }
        for handler in handlers {
            let is_taken = config.destinations.iter().any(|one| one.name == handler.name)
                || destinations.iter().any(|one| one.registration.name == handler.name);
            if is_taken {
                return Err(DeliveringError::NameTaken(handler.name));
            }
            destinations.push(Destination::of_handler(handler, config, stopping)?);
        }
        let router = RouterOptions { count_every: Some(COUNT_EVERY), ..RouterOptions::default() };
        Ok(Self { destinations, router, warnings })
    }

    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Registers the destinations with the store. A new one begins with the next event, or with the
    /// first one of the log.
    pub(crate) async fn register(&self, deliveries: &dyn Destinations) -> Result<(), StoreError> {
        for destination in &self.destinations {
            deliveries.register(&destination.registration).await?;
        }
        Ok(())
    }

    pub(crate) fn routes(&self) -> Vec<Route> {
        self.destinations.iter().map(|destination| destination.route.clone()).collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.worker_configs().map(|config| config.name().to_owned()).collect()
    }

    pub(crate) fn worker_configs(&self) -> impl Iterator<Item = &WorkerConfig> {
        self.destinations.iter().map(|destination| &destination.config)
    }

    /// The router; `None` where nothing is delivered to.
    pub(crate) fn router(&self, store: &Arc<dyn Store>) -> Option<Router> {
        let router = || Router::new(store.clone(), self.routes(), self.router.clone());
        (!self.destinations.is_empty()).then(router)
    }

    /// Replays to the destinations, for these sources of the config.
    pub(crate) fn replayer(&self, store: &Arc<dyn Store>, sources: Vec<String>) -> Replayer {
        Replayer::new(store.clone(), self.routes(), sources)
    }

    /// A worker for each destination.
    pub(crate) fn into_workers(
        self,
        store: &Arc<dyn Store>,
    ) -> impl Iterator<Item = (WorkerConfig, Worker)> {
        self.destinations.into_iter().map(move |Destination { config, worker, channel, .. }| {
            (config, Worker::new(store.clone(), channel, worker))
        })
    }
}

impl Destination {
    fn of_config(
        destination: &DestinationConfig,
        kind: &dyn ChannelConfig,
        delivery: &DeliveryConfig,
        config: &Config,
    ) -> Result<Self, DeliveringError> {
        let name = &destination.name;
        let fault = |source| DeliveringError::Channel { destination: name.clone(), source };
        let channel = kind.channel(name).map_err(fault)?;
        let failures = channel.check(&event_types::delivered(delivery.events.as_deref()));
        if let Some(failure) = failures.into_iter().next() {
            return Err(fault(failure.into()));
        }
        let disable_after = config.alerts.disable_after;
        Ok(Self {
            config: WorkerConfig::Destination {
                destination: Box::new(destination.clone()),
                disable_after,
            },
            registration: Registration {
                name: name.clone(),
                from: kind.start(),
                ordering: delivery.ordering.unwrap_or_default(),
            },
            route: route(
                name,
                filter(destination, delivery)?,
                destination.takes_api_messages(),
                config,
            ),
            worker: WorkerOptions {
                delivery: delivery.clone(),
                health: HealthPolicy { disable_after: disable_after.map(|time| time.0) },
                ..WorkerOptions::new(name)
            },
            channel,
        })
    }

    fn of_handler(
        handler: Handler,
        config: &Config,
        stopping: &CancellationToken,
    ) -> Result<Self, DeliveringError> {
        let Handler { name, events, function } = handler;
        let misspelt = |events: &String| Some((events.clone(), event_types::misspelt(events)?));
        if let Some((events, near)) = events.iter().find_map(misspelt) {
            return Err(DeliveringError::Events { handler: name, events, near });
        }
        let filter = Filter { events: Some(events), ..Filter::default() };
        Ok(Self {
            config: WorkerConfig::Handler(name.clone()),
            route: route(&name, filter, true, config),
            worker: WorkerOptions::new(&name),
            channel: Arc::new(HandlerChannel::new(function, stopping.clone())),
            registration: Registration { name, from: StartFrom::Now, ordering: Ordering::None },
        })
    }
}

/// What the destination wants.
fn filter(
    destination: &DestinationConfig,
    delivery: &DeliveryConfig,
) -> Result<Filter, DeliveringError> {
    let fault = |source| DeliveringError::When { destination: destination.name.clone(), source };
    Ok(Filter {
        sources: destination.sources.clone(),
        events: delivery.events.clone(),
        when: delivery.when.as_deref().map(Expression::compile).transpose().map_err(fault)?,
    })
}

fn route(name: &str, filter: Filter, takes_api_messages: bool, config: &Config) -> Route {
    let is_named = filter.events.iter().flatten().any(|event| event == NOTICE_TYPE);
    let takes_notices = is_named || config.alerts.to.iter().any(|to| to == name);
    Route { destination: name.into(), filter, takes_notices, takes_api_messages }
}

/// The routes of the config's destinations, for commands that deliver nothing themselves.
pub(crate) fn routes(config: &Config) -> Result<Vec<Route>, DeliveringError> {
    let enabled = config.destinations.iter().filter(|one| one.enabled);
    let delivered_to = enabled.filter_map(|one| Some((one, one.delivery.as_ref()?)));
    delivered_to
        .map(|(one, delivery)| {
            let filter = filter(one, delivery)?;
            Ok(route(&one.name, filter, one.takes_api_messages(), config))
        })
        .collect()
}
