//! Endpoints in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use deskbell_admin::{
    AdminError, Caller, Endpoint, EndpointSettings, Endpoints, NewEndpoint, SealedSecret,
    Timestamp, is_secret_header,
};

use super::{Desk, SOURCE, START_MS, State, StoredEndpoint};

impl State {
    fn stored(&mut self, source: &str, id: &str) -> Result<&mut StoredEndpoint, AdminError> {
        let has_uid =
            |stored: &&mut StoredEndpoint| stored.endpoint.settings.uid.as_deref() == Some(id);
        let found = match self.endpoints.contains_key(id) {
            true => self.endpoints.get_mut(id),
            false => self.endpoints.values_mut().find(has_uid),
        };
        found.filter(|_| source == SOURCE).ok_or_else(|| AdminError::not_found("endpoint", id))
    }

    fn changeable(&mut self, source: &str, id: &str) -> Result<&mut StoredEndpoint, AdminError> {
        let stored = self.stored(source, id)?;
        match stored.endpoint.read_only {
            true => Err(AdminError::ReadOnly(format!("`{id}` is declared in the config file"))),
            false => Ok(stored),
        }
    }

    fn refuse_taken(&self, id: &str, settings: &EndpointSettings) -> Result<(), AdminError> {
        let others = self.endpoints.values().filter(|stored| stored.endpoint.id != id);
        let mut uids = others.filter_map(|stored| stored.endpoint.settings.uid.clone());
        match uids.find(|uid| Some(uid) == settings.uid.as_ref()) {
            Some(uid) => Err(AdminError::Conflict(format!("the uid `{uid}` is taken"))),
            None => Ok(()),
        }
    }
}

fn refuse_host(headers: &BTreeMap<String, SealedSecret>) -> Result<(), AdminError> {
    match headers.contains_key("host") {
        true => Err(AdminError::invalid("headers", "`host` cannot be set")),
        false => Ok(()),
    }
}

#[async_trait]
impl Endpoints for Desk {
    fn sources(&self) -> Vec<String> {
        vec![SOURCE.into(), "other".into()]
    }

    async fn endpoints(&self, source: &str) -> Result<Vec<Endpoint>, AdminError> {
        let state = self.open()?;
        let endpoints = state.endpoints.values().filter(|_| source == SOURCE);
        Ok(endpoints.map(|stored| stored.endpoint.clone()).collect())
    }

    async fn endpoint(&self, source: &str, id: &str) -> Result<Endpoint, AdminError> {
        Ok(self.open()?.stored(source, id)?.endpoint.clone())
    }

    async fn create_endpoint(
        &self,
        _: &Caller,
        _: &str,
        new: NewEndpoint,
    ) -> Result<Endpoint, AdminError> {
        let NewEndpoint { settings, secret, headers } = new;
        let mut state = self.open()?;
        refuse_host(&headers)?;
        if !settings.url.starts_with("https://") {
            return Err(AdminError::invalid("url", "expected an HTTPS URL"));
        }
        state.refuse_taken("", &settings)?;
        state.endpoints_made += 1;
        let id = format!("ep_{}", state.endpoints_made);
        let (created_at, updated_at) = (Timestamp(START_MS), Timestamp(START_MS));
        let endpoint =
            Endpoint { id: id.clone(), settings, read_only: false, created_at, updated_at };
        let secret = secret.map_or_else(|| "whsec_random".into(), |secret| secret.0);
        let stored = StoredEndpoint { endpoint: endpoint.clone(), headers, secret };
        state.endpoints.insert(id, stored);
        Ok(endpoint)
    }

    async fn update_endpoint(
        &self,
        _: &Caller,
        source: &str,
        id: &str,
        settings: EndpointSettings,
    ) -> Result<Endpoint, AdminError> {
        let mut state = self.open()?;
        state.refuse_taken(id, &settings)?;
        let stored = state.changeable(source, id)?;
        stored.endpoint.settings = settings;
        stored.endpoint.updated_at.0 += 1_000;
        Ok(stored.endpoint.clone())
    }

    async fn delete_endpoint(&self, _: &Caller, source: &str, id: &str) -> Result<(), AdminError> {
        let mut state = self.open()?;
        let id = state.changeable(source, id)?.endpoint.id.clone();
        state.endpoints.remove(&id);
        Ok(())
    }

    async fn endpoint_headers(
        &self,
        source: &str,
        id: &str,
    ) -> Result<BTreeMap<String, SealedSecret>, AdminError> {
        let mut state = self.open()?;
        let headers = state.stored(source, id)?.headers.clone().into_iter();
        Ok(headers
            .map(|(name, value)| match is_secret_header(&name) {
                true => (name, SealedSecret("<redacted>".into())),
                false => (name, value),
            })
            .collect())
    }

    async fn set_endpoint_headers(
        &self,
        _: &Caller,
        source: &str,
        id: &str,
        headers: BTreeMap<String, SealedSecret>,
    ) -> Result<(), AdminError> {
        refuse_host(&headers)?;
        self.open()?.changeable(source, id)?.headers = headers;
        Ok(())
    }

    async fn change_endpoint_headers(
        &self,
        _: &Caller,
        source: &str,
        id: &str,
        changes: BTreeMap<String, Option<SealedSecret>>,
    ) -> Result<(), AdminError> {
        let mut state = self.open()?;
        let headers = &mut state.changeable(source, id)?.headers;
        for (name, value) in changes {
            match value {
                Some(value) => drop(headers.insert(name, value)),
                None => drop(headers.remove(&name)),
            }
        }
        Ok(())
    }

    async fn endpoint_secret(
        &self,
        _: &Caller,
        source: &str,
        id: &str,
    ) -> Result<SealedSecret, AdminError> {
        Ok(SealedSecret(self.open()?.stored(source, id)?.secret.clone()))
    }

    async fn rotate_endpoint_secret(
        &self,
        _: &Caller,
        source: &str,
        id: &str,
        secret: Option<SealedSecret>,
    ) -> Result<(), AdminError> {
        let secret = secret.map_or_else(|| "whsec_rotated".into(), |secret| secret.0);
        self.open()?.changeable(source, id)?.secret = secret;
        Ok(())
    }
}
