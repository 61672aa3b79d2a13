//! Sample events made to order: a sample of the catalog with values set, signed and sent.

use clerk_webhooks::catalog::{self, CatalogEntry};
use deskbell_config::nearest;
use rand::Rng;
use rand::distr::Alphanumeric;
use serde_json::Value;

#[derive(Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("unknown event type `{name}`")]
pub struct UnknownType {
    name: String,
    #[help]
    help: String,
}

/// The catalog's entry of this type.
pub fn entry(event_type: &str) -> Result<&'static CatalogEntry, UnknownType> {
    catalog::find(event_type).ok_or_else(|| UnknownType {
        name: event_type.to_owned(),
        help: match nearest_types(event_type)[..] {
            [] => "run `deskbell types` to list them".to_owned(),
            ref near => {
                format!("did you mean {}? Run `deskbell types` to list all", near.join(", "))
            }
        },
    })
}

/// The catalog's sample of this type.
pub fn sample(event_type: &str) -> Result<Value, UnknownType> {
    // A test reads every sample of the catalog.
    Ok(serde_json::from_str(entry(event_type)?.sample).unwrap_or_default())
}

/// A new message id of the form that Clerk's sender gives.
pub fn message_id() -> String {
    let random = rand::rng().sample_iter(Alphanumeric).take(27).map(char::from);
    "msg_".chars().chain(random).collect()
}

/// The types that a person may have meant, the likeliest first.
fn nearest_types(name: &str) -> Vec<&'static str> {
    const SUGGESTIONS_MAX: usize = 3;
    let names: Vec<_> = catalog::all().iter().map(|entry| entry.event_type.as_str()).collect();
    nearest::several(name, &names, SUGGESTIONS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_catalog_has_a_sample() {
        for entry in catalog::all() {
            let sample = sample(entry.event_type.as_str()).unwrap();
            assert_eq!(sample["type"], entry.event_type.as_str());
        }
    }

    #[test]
    fn an_unknown_type_names_the_nearest() {
        let error = sample("user.craeted").unwrap_err();
        assert!(error.help.starts_with("did you mean user.created"), "{}", error.help);
        let error = sample("xyzzy").unwrap_err();
        assert_eq!(error.help, "run `deskbell types` to list them");
    }
}
