//! Loops: users as contacts, and events about them: <https://loops.so/docs/api-reference>.

use std::sync::Arc;

use async_trait::async_trait;
use deskbell_config::{RateLimit, RateUnit};
use deskbell_expr::EventView;
use deskbell_store::deliveries::{Ordering, StartFrom};
use http::{HeaderValue, StatusCode};
use tokio::time::Instant;
use url::Url;

use crate::api::{Api, ApiReply, ApiRequest, base_url_or, bearer, endpoint, receiver};
use crate::attempt::{Attempt, Outcome};
use crate::channel::{Channel, ChannelConfig, ChannelError, Delivery};
use crate::delivery_config::DeliveryConfig;
use crate::filter::view;
use crate::idempotency;
use crate::notice::Notice;
use crate::off_workers::off_workers;
use crate::template::{CheckFailure, Escape, Template};

mod config;
mod request;

pub use config::LoopsConfig;
use config::RATE_PER_SECOND;
use request::{Call, calls};

/// Where Loops' API is.
const BASE_URL: &str = "https://app.loops.so";
const KEY_CHARS_MAX: usize = 100;

/// Keeps contacts as users are, and sends events.
///
/// `user.created` and `user.updated` create or update the contact (by `userId`), `user.deleted`
/// deletes it. With `event_name`, an event is sent as well; other types send it for the user that
/// they are about. Contacts have no versions: with `ordering = "subject"`, an older update that is
/// retried does not come after a newer one.
#[derive(Debug)]
pub struct LoopsChannel {
    api: Api,
    base_url: Url,
    authorization: HeaderValue,
    event_name: Option<Template>,
}

impl ChannelConfig for LoopsConfig {
    fn set_defaults(&self, delivery: &mut DeliveryConfig) {
        delivery.ordering.get_or_insert(Ordering::Subject);
        delivery
            .rate_limit
            .get_or_insert(RateLimit { count: RATE_PER_SECOND, per: RateUnit::Second });
    }

    fn start(&self) -> StartFrom {
        self.from
    }

    fn receiver(&self) -> String {
        match &self.base_url {
            Some(url) => receiver(url.expose_secrets()),
            None => "Loops".to_owned(),
        }
    }

    fn takes_alerts(&self) -> bool {
        false
    }

    fn channel(&self, destination: &str) -> Result<Arc<dyn Channel>, ChannelError> {
        Ok(Arc::new(LoopsChannel::new(destination, self)?))
    }
}

impl LoopsChannel {
    /// Compiles the template and sets the client up. Nothing is sent yet.
    ///
    /// # Errors
    /// What of the config cannot be used.
    pub fn new(destination: &str, config: &LoopsConfig) -> Result<Self, ChannelError> {
        let LoopsConfig { api_key, event_name, base_url, proxy, from: _ } = config;
        let name = format!("{destination}/event_name");
        let compile = |text: &String| Template::compile(name, text, Escape::Text);
        Ok(Self {
            api: Api::new("Loops", api_key.clone(), proxy.as_ref())?,
            base_url: base_url_or(base_url.as_ref(), BASE_URL),
            authorization: bearer(api_key)?,
            event_name: event_name.as_ref().map(compile).transpose()?,
        })
    }

    /// What is to be asked of Loops for an event, or why nothing can be.
    fn calls(&self, view: &EventView<'_>) -> Result<Vec<Call>, String> {
        let name = self.event_name.as_ref().map(|name| name.render(Some(view))).transpose();
        let name = name.map_err(|error| error.to_string())?;
        calls(view, name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()))
    }

    async fn call(&self, call: &Call, delivery: &Delivery, deadline: Instant) -> Attempt {
        let (method, path, body) = call.request();
        let idempotency_key = matches!(call, Call::SendEvent(_)).then(|| {
            idempotency::key(&delivery.destination, &delivery.event.message_id, KEY_CHARS_MAX)
        });
        let request = ApiRequest {
            method,
            url: endpoint(&self.base_url, path),
            authorization: Some(&self.authorization),
            idempotency_key,
            body,
        };
        self.api.attempt(request, deadline, |reply| self.outcome(call, reply)).await
    }

    fn outcome(&self, call: &Call, reply: &ApiReply) -> Outcome {
        let done = match (call, reply.status) {
            // Nobody is to be deleted.
            (Call::DeleteContact(_), StatusCode::NOT_FOUND) => true,
            // The key was used in the last 24 hours: an earlier attempt sent the event.
            (Call::SendEvent(_), StatusCode::CONFLICT) => true,
            (_, status) => status.is_success(),
        };
        if done {
            return Outcome::Delivered;
        }
        let reason = self.api.reason(reply, &reply.member("message").unwrap_or_default());
        match reply.status {
            // A key is put right in the config or at Loops, and the event is still pending.
            StatusCode::UNAUTHORIZED
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS => reply.retry(reason),
            status if status.is_client_error() => Outcome::Reject { reason },
            _ => reply.retry(reason),
        }
    }
}

#[async_trait]
impl Channel for LoopsChannel {
    fn check(&self, event_types: &[&str]) -> Vec<CheckFailure> {
        self.event_name.iter().flat_map(|name| name.check(event_types)).collect()
    }

    fn unknown_paths(&self, event_types: &[&str]) -> Vec<String> {
        self.event_name.iter().flat_map(|name| name.unknown_paths(event_types)).collect()
    }

    async fn attempt(&self, delivery: &Delivery, deadline: Instant) -> Attempt {
        if Notice::of(&delivery.event).is_some() {
            return Attempt::rejected("Loops takes no alerts");
        }
        let calls = match off_workers(|| self.calls(&view(&delivery.event))) {
            Ok(calls) => calls,
            Err(reason) => return Attempt::rejected(reason),
        };
        // Each can be repeated: the first failure ends the attempt, and the next begins anew.
        let mut last = Attempt::rejected("there is nothing to do for this event");
        for call in &calls {
            last = self.call(call, delivery, deadline).await;
            if last.outcome != Outcome::Delivered {
                break;
            }
        }
        last
    }
}
