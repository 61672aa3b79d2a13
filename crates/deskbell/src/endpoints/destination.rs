//! An endpoint as a destination of the effective config.

use std::num::NonZeroU32;

use clerk_webhooks::UnixMillis;
use deskbell_config::{Fault, HttpUrl, RateLimit, RateUnit, Span, Step};
use deskbell_trust::with_causes;
use http::{HeaderName, HeaderValue};

use super::record::EndpointRecord;
use crate::config::{
    DeliveryConfig, DestinationConfig, DestinationKind, EndpointSecret, EndpointSecrets,
    EndpointsConfig, Headers, HttpConfig,
};

/// An endpoint that makes no sense: which of its settings, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid `{field}`: {message}")]
pub(crate) struct InvalidEndpoint {
    pub(crate) field: &'static str,
    pub(crate) message: String,
}

fn invalid(field: &'static str, message: impl Into<String>) -> InvalidEndpoint {
    InvalidEndpoint { field, message: message.into() }
}

/// The destination that the endpoint is, checked as one of the config file is.
pub(crate) fn destination(
    record: &EndpointRecord,
    config: &EndpointsConfig,
) -> Result<DestinationConfig, InvalidEndpoint> {
    let settings = &record.settings;
    let http = HttpConfig {
        headers: headers(record)?,
        allow_private: config.allow_private,
        allow_hosts: config.allow_hosts.clone(),
        ..HttpConfig::new(url(&settings.url)?, secrets(record)?)
    };
    let rate_limit = match settings.rate_limit {
        None => None,
        Some(count) => {
            let count =
                NonZeroU32::new(count).ok_or_else(|| invalid("rateLimit", "expected 1 or more"))?;
            Some(RateLimit { count, per: RateUnit::Second })
        }
    };
    let mut destination = DestinationConfig::new(&record.id, DestinationKind::Http(http));
    destination.enabled = !settings.disabled;
    destination.sources = Some(vec![record.source.clone()]);
    destination.delivery = Some(DeliveryConfig {
        events: settings.events.clone(),
        when: settings.when.clone(),
        rate_limit,
        ..destination.delivery.take().unwrap_or_default()
    });
    destination.validate().map_err(|fault| of_fault(&fault))?;
    if let Some(kind) = destination.kind.channel_config() {
        // Whether its host may be reached, as far as that is known without a lookup.
        kind.channel(&record.id).map_err(|error| invalid("url", with_causes(&*error)))?;
    }
    Ok(destination)
}

fn of_fault(fault: &Fault) -> InvalidEndpoint {
    let (Span::Path(path) | Span::Within(path, _)) = &fault.span else {
        return invalid("url", fault.message.clone());
    };
    let field = match path.first() {
        Some(Step::Key("when")) => "when",
        Some(Step::Key("events")) => "eventTypes",
        Some(Step::Key("headers")) => "headers",
        Some(Step::Key("secrets")) => "secret",
        _ => "url",
    };
    invalid(field, fault.message.clone())
}

fn url(text: &str) -> Result<HttpUrl, InvalidEndpoint> {
    serde_json::from_value(text.into()).map_err(|error| invalid("url", error.to_string()))
}

fn secrets(record: &EndpointRecord) -> Result<EndpointSecrets, InvalidEndpoint> {
    let secrets = record.secrets.iter().map(|one| {
        let secret: EndpointSecret =
            one.secret.parse().map_err(|error| invalid("secret", error))?;
        Ok(EndpointSecret { until: one.until_ms.and_then(UnixMillis::from_millis), ..secret })
    });
    secrets.collect::<Result<_, _>>().map(EndpointSecrets)
}

fn headers(record: &EndpointRecord) -> Result<Headers, InvalidEndpoint> {
    let mut headers = Headers::default();
    for (name, value) in &record.headers {
        let malformed = |_| invalid("headers", format!("`{name}` is not a header"));
        let header: HeaderName = name.parse().map_err(malformed)?;
        let malformed =
            |_| invalid("headers", format!("the value of `{name}` is not one of a header"));
        let value: HeaderValue = value.parse().map_err(malformed)?;
        headers.append(header, value).map_err(|error| invalid("headers", error.to_string()))?;
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use deskbell_admin::EndpointSettings;

    use super::super::record::RecordSecret;
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn record(change: impl FnOnce(&mut EndpointRecord)) -> EndpointRecord {
        let url = "https://example.com/hooks".to_owned();
        let mut record = EndpointRecord {
            id: "ep_1".to_owned(),
            source: "clerk".to_owned(),
            settings: EndpointSettings { url, ..EndpointSettings::default() },
            secrets: vec![RecordSecret { secret: SECRET.to_owned(), until_ms: None }],
            headers: BTreeMap::new(),
            created_at_ms: 0,
            updated_at_ms: 0,
            version: 1,
        };
        change(&mut record);
        record
    }

    #[test]
    fn an_endpoint_is_a_destination_for_its_source() {
        let made = destination(&record(|_| ()), &EndpointsConfig::default()).unwrap();
        assert_eq!((made.name.as_str(), made.enabled), ("ep_1", true));
        assert_eq!(made.sources, Some(vec!["clerk".to_owned()]));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_field() {
        type Change = fn(&mut EndpointRecord);
        let cases: [(Change, &str); 6] = [
            (|one| one.settings.url = "ftp://example.com".to_owned(), "url"),
            (|one| one.settings.url = String::new(), "url"),
            (|one| one.settings.events = Some(vec!["user.creatd".to_owned()]), "eventTypes"),
            (|one| one.settings.rate_limit = Some(0), "rateLimit"),
            (|one| one.secrets[0].secret = "hunter2".to_owned(), "secret"),
            (|one| drop(one.headers.insert("svix-id".to_owned(), "x".to_owned())), "headers"),
        ];
        for (change, field) in cases {
            let refused = destination(&record(change), &EndpointsConfig::default()).unwrap_err();
            assert_eq!(refused.field, field, "{refused}");
        }
    }
}
