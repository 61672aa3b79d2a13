//! The names that an expression may use.

/// The roots that every event has, then the entities'.
pub const ROOTS: &[&str] = &[
    "id",
    "type",
    "source",
    "subject",
    "occurred_at",
    "instance_id",
    "data",
    "event_attributes",
    "user",
    "organization",
    "membership",
    "domain",
    "invitation",
    "session",
    "role",
    "permission",
    "waitlist_entry",
    "subscription",
    "subscription_item",
    "payment_attempt",
    "email",
    "sms",
];

/// The roots of entities, which are there on events about them alone.
pub(crate) const ENTITIES: &[&str] = ROOTS.split_at(8).1;

/// The roots under which any path may stand.
pub(crate) const UNTYPED: &[&str] = &["data", "event_attributes"];

/// Names of types, for `type(x) == string`.
pub(crate) const TYPES: &[&str] =
    &["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type"];

/// Functions that are called as `f(x)`.
pub(crate) const FUNCTIONS: &[&str] = &[
    "size",
    "type",
    "dyn",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "bool",
    "timestamp",
    "duration",
    "matches",
    "default",
    "coalesce",
    "lower",
    "upper",
    "trim",
];

/// Functions that are called as `x.f()`.
pub(crate) const METHODS: &[&str] = &[
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
];

/// Macros, which the parser has replaced where they are used as they should be.
pub(crate) const MACROS: &[&str] =
    &["has", "all", "exists", "exists_one", "existsOne", "map", "filter"];

/// Names further than this from what was written are not offered.
const LIKENESS_MIN: f64 = 0.8;

/// The root under which an entity's events have it.
pub(crate) fn of_entity(entity: &'static str) -> &'static str {
    match entity {
        "organization_membership" => "membership",
        "organization_domain" => "domain",
        "organization_invitation" => "invitation",
        other => other,
    }
}

/// The root that is most like a name, for "did you mean".
#[must_use]
pub fn nearest_root(name: &str) -> Option<&'static str> {
    nearest(name, ROOTS.iter().copied())
}

/// The known name that is most like a name.
pub(crate) fn nearest(
    name: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}
