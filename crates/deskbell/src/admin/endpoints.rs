//! Endpoints: the `http` destinations of a source, of which those that were made here can be changed.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_admin::{
    AdminError, Caller, ENDPOINT_ID_PREFIX, Endpoint, EndpointSettings, Endpoints, NewEndpoint,
    SealedSecret, Timestamp, is_secret_header,
};
use deskbell_config::REDACTED;
use deskbell_devtools::new_secret;
use deskbell_store::clock::whole_ms;
use deskbell_store::deliveries::{Ordering, Registration, StartFrom};

use super::local::LocalAdmin;
use super::messages::random_id;
use crate::command_runner::Request;
use crate::config::{DestinationConfig, DestinationKind, Headers, HttpConfig};
use crate::endpoints::{EndpointRecord, RecordSecret, destination};
use crate::unavailable::unavailable;

/// How long the secret before a rotation still signs.
const ROTATED_FOR: Duration = Duration::from_secs(24 * 3_600);
/// Endpoints of all sources.
const ENDPOINTS_MAX: usize = 500;
/// Headers of one endpoint, and bytes of a value.
const HEADERS_MAX: usize = 50;
const HEADER_BYTES_MAX: usize = 4_096;
/// Secrets of one endpoint.
const SECRETS_MAX: usize = 10;

impl LocalAdmin {
    fn require_source(&self, source: &str) -> Result<(), AdminError> {
        match self.config.sources.iter().any(|known| known.name == source) {
            true => Ok(()),
            false => Err(AdminError::not_found("application", source)),
        }
    }

    /// The `http` destinations of the config file that take events of this source.
    fn configured_endpoints(&self, source: &str) -> Vec<(&DestinationConfig, &HttpConfig)> {
        let takes = |one: &&DestinationConfig| {
            let sources = one.sources.as_ref();
            sources.is_none_or(|names| names.iter().any(|name| name == source))
        };
        let of_file = |one: &&DestinationConfig| !self.endpoints.is_one(&one.name);
        let mut found = Vec::new();
        for one in self.config.destinations.iter().filter(takes).filter(of_file) {
            if let DestinationKind::Http(http) = &one.kind {
                found.push((one, http));
            }
        }
        found
    }

    /// The endpoint of the store with this id, or uid.
    async fn record(&self, source: &str, id: &str) -> Result<EndpointRecord, AdminError> {
        self.require_source(source)?;
        let records = self.endpoints.records(&*self.store).await?;
        let mut of_source: Vec<_> =
            records.into_iter().filter(|record| record.source == source).collect();
        let by_id = of_source.iter().position(|record| record.id == id);
        let by_uid = || of_source.iter().position(|one| one.settings.uid.as_deref() == Some(id));
        if let Some(found) = by_id.or_else(by_uid) {
            return Ok(of_source.swap_remove(found));
        }
        match self.configured_endpoints(source).iter().any(|(one, _)| one.name == id) {
            true => Err(AdminError::ReadOnly(format!(
                "`{id}` is declared in the config file; change it there"
            ))),
            false => Err(AdminError::not_found("endpoint", id)),
        }
    }

    fn check(&self, record: &EndpointRecord) -> Result<(), AdminError> {
        if record.headers.len() > HEADERS_MAX {
            let message = format!("expected at most {HEADERS_MAX} headers");
            return Err(AdminError::invalid("headers", message));
        }
        if record.headers.values().any(|value| value.len() > HEADER_BYTES_MAX) {
            let message = format!("expected at most {HEADER_BYTES_MAX} bytes in a value");
            return Err(AdminError::invalid("headers", message));
        }
        let made = destination(record, &self.config.endpoints);
        made.map(drop).map_err(|error| AdminError::invalid(error.field, error.message))
    }

    /// Stores the record, if it makes sense and nobody has changed it in the meantime.
    async fn store_record(&self, record: &EndpointRecord) -> Result<(), AdminError> {
        self.check(record)?;
        let stored = record.to_stored(&self.endpoints.key()?).map_err(unavailable)?;
        match self.store.put_endpoint(&stored).await.map_err(unavailable)? {
            true => self.endpoints.apply(&*self.store).await,
            false => Err(AdminError::Conflict(format!(
                "endpoint `{}` was changed at the same time; try again",
                record.id
            ))),
        }
    }

    /// Refuses a uid that another endpoint of the source has, or that is the id of any.
    fn check_uid(
        &self,
        records: &[EndpointRecord],
        source: &str,
        id: &str,
        settings: &EndpointSettings,
    ) -> Result<(), AdminError> {
        let Some(uid) = &settings.uid else { return Ok(()) };
        let is_taken = |record: &EndpointRecord| {
            record.id != id
                && (record.id == *uid
                    || (record.source == source && record.settings.uid.as_ref() == Some(uid)))
        };
        match records.iter().any(is_taken) || self.configured(uid).is_some() {
            true => Err(AdminError::Conflict(format!("another endpoint has the uid `{uid}`"))),
            false => Ok(()),
        }
    }

    async fn read_back(&self, source: &str, id: &str) -> Result<Endpoint, AdminError> {
        Ok(self.record(source, id).await?.view())
    }
}

#[async_trait]
impl Endpoints for LocalAdmin {
    fn sources(&self) -> Vec<String> {
        self.config.sources.iter().map(|source| source.name.clone()).collect()
    }

    async fn endpoints(&self, source: &str) -> Result<Vec<Endpoint>, AdminError> {
        self.require_source(source)?;
        let records = self.endpoints.records(&*self.store).await?;
        let made = records.iter().filter(|record| record.source == source);
        let mut endpoints: Vec<Endpoint> = made.map(EndpointRecord::view).collect();
        let configured = self.configured_endpoints(source).into_iter();
        endpoints.extend(configured.map(|(one, http)| configured_view(one, http)));
        endpoints.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(endpoints)
    }

    async fn endpoint(&self, source: &str, id: &str) -> Result<Endpoint, AdminError> {
        let found = self.record(source, id).await;
        let Err(AdminError::ReadOnly(_)) = found else { return Ok(found?.view()) };
        let mut configured = self.configured_endpoints(source).into_iter();
        let found = configured.find(|(one, _)| one.name == id);
        let view = found.map(|(one, http)| configured_view(one, http));
        view.ok_or_else(|| AdminError::not_found("endpoint", id))
    }

    async fn create_endpoint(
        &self,
        caller: &Caller,
        source: &str,
        new: NewEndpoint,
    ) -> Result<Endpoint, AdminError> {
        let NewEndpoint { settings, secret, headers } = new;
        self.require_source(source)?;
        let records = self.endpoints.records(&*self.store).await?;
        if records.len() >= ENDPOINTS_MAX {
            let message = format!("there are {ENDPOINTS_MAX} endpoints already");
            return Err(AdminError::Conflict(message));
        }
        let id = random_id(ENDPOINT_ID_PREFIX);
        self.check_uid(&records, source, &id, &settings)?;
        let record = EndpointRecord {
            id: id.clone(),
            source: source.to_owned(),
            settings,
            secrets: vec![RecordSecret { secret: given_or_random(secret), until_ms: None }],
            headers: headers.into_iter().map(|(name, value)| (name, value.0)).collect(),
            created_at_ms: 0,
            updated_at_ms: 0,
            version: 0,
        };
        self.store_record(&record).await?;
        // It begins here, and not when processes have read that it is there.
        let registration =
            Registration { name: id.clone(), from: StartFrom::Now, ordering: Ordering::None };
        self.store.register(&registration).await.map_err(unavailable)?;
        self.audit(caller, "endpoint.create", &id, Some(record.shown_url())).await;
        self.read_back(source, &id).await
    }

    async fn update_endpoint(
        &self,
        caller: &Caller,
        source: &str,
        id: &str,
        settings: EndpointSettings,
    ) -> Result<Endpoint, AdminError> {
        let mut record = self.record(source, id).await?;
        if settings.uid != record.settings.uid {
            let records = self.endpoints.records(&*self.store).await?;
            self.check_uid(&records, source, &record.id, &settings)?;
        }
        record.settings = settings;
        self.store_record(&record).await?;
        self.audit(caller, "endpoint.update", &record.id, Some(record.shown_url())).await;
        self.read_back(source, &record.id).await
    }

    async fn delete_endpoint(
        &self,
        caller: &Caller,
        source: &str,
        id: &str,
    ) -> Result<(), AdminError> {
        self.require_source(source)?;
        // One that can no longer be decrypted can be deleted too.
        let (_, stored) = self.store.stored_endpoints().await.map_err(unavailable)?;
        let found = stored.iter().find(|stored| EndpointRecord::is_named(stored, source, id));
        let id = match found {
            Some(stored) => stored.id.clone(),
            None => self.record(source, id).await?.id,
        };
        self.store.delete_endpoint(&id).await.map_err(unavailable)?;
        self.endpoints.apply(&*self.store).await?;
        // What is pending for it goes once no process delivers to it.
        let remove = Request::RemoveDestination { destination: id.clone() };
        self.store.enqueue_command(&remove.into_command()).await.map_err(unavailable)?;
        self.audit(caller, "endpoint.delete", &id, None).await;
        Ok(())
    }

    async fn endpoint_headers(
        &self,
        source: &str,
        id: &str,
    ) -> Result<BTreeMap<String, SealedSecret>, AdminError> {
        let found = self.record(source, id).await;
        if let Err(AdminError::ReadOnly(_)) = found {
            let mut configured = self.configured_endpoints(source).into_iter();
            let headers = configured.find(|(one, _)| one.name == id).map(|(_, http)| &http.headers);
            let names = headers.into_iter().flat_map(Headers::iter);
            let redacted = names.map(|(name, _)| (name.to_string(), SealedSecret(REDACTED.into())));
            return Ok(redacted.collect());
        }
        let headers = found?.headers.into_iter().map(|(name, value)| {
            let shown = if is_secret_header(&name) { REDACTED.to_owned() } else { value };
            (name, SealedSecret(shown))
        });
        Ok(headers.collect())
    }

    async fn set_endpoint_headers(
        &self,
        caller: &Caller,
        source: &str,
        id: &str,
        headers: BTreeMap<String, SealedSecret>,
    ) -> Result<(), AdminError> {
        let mut record = self.record(source, id).await?;
        let named = headers.keys().cloned().collect::<Vec<_>>().join(", ");
        record.headers = headers.into_iter().map(|(name, value)| (name, value.0)).collect();
        self.store_record(&record).await?;
        self.audit(caller, "endpoint.headers", &record.id, Some(named)).await;
        Ok(())
    }

    async fn change_endpoint_headers(
        &self,
        caller: &Caller,
        source: &str,
        id: &str,
        changes: BTreeMap<String, Option<SealedSecret>>,
    ) -> Result<(), AdminError> {
        let mut record = self.record(source, id).await?;
        let named = changes.keys().cloned().collect::<Vec<_>>().join(", ");
        for (name, value) in changes {
            record.headers.retain(|known, _| !known.eq_ignore_ascii_case(&name));
            record.headers.extend(value.map(|value| (name, value.0)));
        }
        self.store_record(&record).await?;
        self.audit(caller, "endpoint.headers", &record.id, Some(named)).await;
        Ok(())
    }

    async fn endpoint_secret(
        &self,
        caller: &Caller,
        source: &str,
        id: &str,
    ) -> Result<SealedSecret, AdminError> {
        let record = self.record(source, id).await?;
        let secret = record.secrets.iter().find(|secret| secret.until_ms.is_none());
        let secret = secret.ok_or_else(|| AdminError::not_found("secret of endpoint", id))?;
        self.require_audit(caller, "endpoint.secret_shown", &record.id, None).await?;
        Ok(SealedSecret(secret.secret.clone()))
    }

    async fn rotate_endpoint_secret(
        &self,
        caller: &Caller,
        source: &str,
        id: &str,
        secret: Option<SealedSecret>,
    ) -> Result<(), AdminError> {
        let mut record = self.record(source, id).await?;
        let now_ms = self.store.now_ms().await.map_err(unavailable)?;
        record.secrets.retain(|old| old.until_ms.is_none_or(|until_ms| until_ms > now_ms));
        if record.secrets.len() >= SECRETS_MAX {
            let message = format!("{SECRETS_MAX} secrets are still valid; wait until some expire");
            return Err(AdminError::Conflict(message));
        }
        let until_ms = now_ms.saturating_add(whole_ms(ROTATED_FOR));
        for old in record.secrets.iter_mut().filter(|old| old.until_ms.is_none()) {
            old.until_ms = Some(until_ms);
        }
        let secret = given_or_random(secret);
        record.secrets.insert(0, RecordSecret { secret, until_ms: None });
        self.store_record(&record).await?;
        self.audit(caller, "endpoint.secret_rotated", &record.id, None).await;
        Ok(())
    }
}

fn given_or_random(secret: Option<SealedSecret>) -> String {
    match secret {
        Some(SealedSecret(secret)) => secret,
        None => new_secret(),
    }
}

/// One of the config file.
fn configured_view(destination: &DestinationConfig, http: &HttpConfig) -> Endpoint {
    let delivery = destination.delivery.as_ref();
    Endpoint {
        id: destination.name.clone(),
        settings: EndpointSettings {
            url: http.url.to_string(),
            description: "declared in the config file".to_owned(),
            events: delivery.and_then(|delivery| delivery.events.clone()),
            when: delivery.and_then(|delivery| delivery.when.clone()),
            disabled: !destination.enabled,
            rate_limit: None,
            uid: None,
            metadata: BTreeMap::new(),
        },
        read_only: true,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    }
}
