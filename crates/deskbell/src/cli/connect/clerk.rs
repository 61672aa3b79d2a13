//! What is asked of Clerk.

use clerk_api::Client;
use clerk_api::sender::{Endpoint, EndpointSecret, SenderSession};
use deskbell_server::SourceConfig;
use deskbell_trust::EndpointAction;
use url::Url;

use super::error::Error;
use crate::backend_api;
use crate::config::Environment;

/// A client with the source's secret key, or with that of the environment.
pub(super) fn client(
    source: &mut SourceConfig,
    environment: &Environment,
) -> Result<Client, Error> {
    if let Some(warning) = source.take_secret_key(environment) {
        errln!("warning: {warning}");
    }
    let Some(key) = &source.secret_key else {
        return Err(Error::NoSecretKey { source_name: source.name.clone() });
    };
    backend_api::client(source, key).map_err(Error::Client)
}

/// Makes the change, and reads the endpoint's signing secret.
pub(super) async fn apply(
    session: &SenderSession,
    action: EndpointAction,
    url: &Url,
) -> Result<(Endpoint, EndpointSecret), Error> {
    let endpoint = deskbell_trust::apply_endpoint(action, session).await;
    let endpoint = endpoint.map_err(|source| Error::save(source, url))?;
    let secret = session.endpoint_secret(&endpoint.id).await;
    let secret = secret.map_err(|source| Error::read(source, url))?;
    let secret = secret.ok_or_else(|| Error::NoSecret { id: endpoint.id.clone() })?;
    Ok((endpoint, secret))
}
