//! The mirror's tests once more, each with a database of its own on a PostgreSQL server.

#[path = "mirror/application.rs"]
mod application;
mod backend;
#[path = "mirror/blocked.rs"]
mod blocked;
#[path = "mirror/columns.rs"]
mod columns;
#[path = "mirror/consumer.rs"]
mod consumer;
mod contention;
#[path = "mirror/convergence.rs"]
mod convergence;
mod cut;
#[path = "mirror/dead_letters.rs"]
mod dead_letters;
#[path = "mirror/deletes.rs"]
mod deletes;
#[path = "mirror/earlier.rs"]
mod earlier;
#[path = "mirror/expected.rs"]
mod expected;
#[path = "mirror/faulty.rs"]
mod faulty;
#[path = "mirror/fetched.rs"]
mod fetched;
#[path = "mirror/hostile.rs"]
mod hostile;
#[path = "mirror/inspect.rs"]
mod inspect;
mod limits;
#[path = "mirror/mapped.rs"]
mod mapped;
#[path = "mirror/mapped_constraints.rs"]
mod mapped_constraints;
#[path = "mirror/mapped_convergence.rs"]
mod mapped_convergence;
#[path = "mirror/mapped_inserts.rs"]
mod mapped_inserts;
#[path = "mirror/mapped_keys.rs"]
mod mapped_keys;
#[path = "mirror/mapped_lookups.rs"]
mod mapped_lookups;
#[path = "mirror/mapped_moves.rs"]
mod mapped_moves;
mod mapped_rights;
#[path = "mirror/mapped_swaps.rs"]
mod mapped_swaps;
mod mapped_types;
#[path = "mirror/mapped_values.rs"]
mod mapped_values;
#[path = "mirror/mapped_waiting.rs"]
mod mapped_waiting;
#[path = "mirror/mapped_waking.rs"]
mod mapped_waking;
#[path = "mirror/mark.rs"]
mod mark;
mod migrate;
#[path = "mirror/model.rs"]
mod model;
#[path = "mirror/never_stops.rs"]
mod never_stops;
#[path = "mirror/odd_json.rs"]
mod odd_json;
#[path = "mirror/outcome.rs"]
mod outcome;
#[path = "mirror/payloads.rs"]
mod payloads;
#[path = "mirror/rebuild.rs"]
mod rebuild;
#[path = "mirror/refetch.rs"]
mod refetch;
#[path = "mirror/refetch_refused.rs"]
mod refetch_refused;
mod refusals;
#[path = "mirror/refused.rs"]
mod refused;
#[path = "mirror/remake_convergence.rs"]
mod remake_convergence;
#[path = "mirror/retry.rs"]
mod retry;
mod rights;
#[path = "mirror/roles.rs"]
mod roles;
#[path = "mirror/row_reader.rs"]
mod row_reader;
#[path = "mirror/rows.rs"]
mod rows;
#[path = "mirror/several.rs"]
mod several;
#[path = "mirror/shapes.rs"]
mod shapes;
#[path = "mirror/sources.rs"]
mod sources;
#[path = "mirror/statements.rs"]
mod statements;
#[path = "mirror/statements_waiting.rs"]
mod statements_waiting;
#[path = "mirror/status.rs"]
mod status;
#[path = "mirror/support.rs"]
mod support;
mod suppressed;
#[path = "mirror/trouble.rs"]
mod trouble;
#[path = "mirror/versions.rs"]
mod versions;
