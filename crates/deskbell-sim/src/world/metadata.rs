//! Metadata as applications write it: mostly empty or small, now and then large and nested.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::names;

/// Begins every value that stands in a `private_metadata` of the simulation, so that a leak into a mirror can be found.
pub(crate) const PRIVATE_MARKER: &str = "simprivate";

const PLANS: &[&str] = &["free", "pro", "team", "enterprise"];

pub(crate) type Metadata = Map<String, Value>;

/// What the application shows to its user: a plan, flags, sometimes a whole settings tree.
pub(crate) fn public(rng: &mut ChaCha8Rng) -> Metadata {
    let mut metadata = Map::new();
    if rng.random_bool(0.4) {
        return metadata;
    }
    metadata.insert("plan".into(), names::pick(PLANS, rng).into());
    if rng.random_bool(0.5) {
        metadata.insert("credits".into(), rng.random_range(0..100_000).into());
    }
    if rng.random_bool(0.3) {
        metadata.insert("ratio".into(), json!(f64::from(rng.random_range(0..1000)) / 8.0));
    }
    if rng.random_bool(0.1) {
        metadata.insert("settings".into(), settings(rng));
    }
    metadata
}

/// What the browser may write: onboarding answers and the like.
pub(crate) fn r#unsafe(rng: &mut ChaCha8Rng) -> Metadata {
    let mut metadata = Map::new();
    if rng.random_bool(0.3) {
        metadata.insert("onboarding".into(), json!({"done": rng.random::<bool>(), "step": null}));
    }
    if rng.random_bool(0.1) {
        metadata
            .insert("greeting".into(), format!("<b>{}</b> & co", names::first_name(rng)).into());
    }
    metadata
}

/// What only the back end may see. It must never reach a mirror unless asked for.
pub(crate) fn private(rng: &mut ChaCha8Rng) -> Metadata {
    let mut metadata = Map::new();
    if rng.random_bool(0.5) {
        let customer = format!("{PRIVATE_MARKER}_cus_{:016x}", rng.random::<u64>());
        metadata.insert("stripe_customer_id".into(), customer.into());
    }
    metadata
}

fn settings(rng: &mut ChaCha8Rng) -> Value {
    let widgets: Vec<Value> = (0..rng.random_range(1..20))
        .map(|index| json!({"id": index, "title": names::last_name(rng), "open": rng.random::<bool>()}))
        .collect();
    json!({"theme": {"dark": rng.random::<bool>(), "accent": "#0af"}, "widgets": widgets})
}
