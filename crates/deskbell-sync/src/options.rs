//! The options of a mirror: its database, its tables, and the sources that it takes.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use deskbell_store::ReadLimit;

use crate::entity;

/// A mirror's options. `MirrorOptions::default()` has what the config has where it says nothing;
/// `url` must be given.
#[derive(Clone, PartialEq, Eq)]
pub struct MirrorOptions {
    /// The destination's name: its checkpoint's, and its consumer's.
    pub destination: String,
    /// The database: `sqlite://clerk.db` or `postgres://…`.
    pub url: String,
    /// The schema that holds the tables, made where it is not there; on SQLite each table's name is
    /// prefixed with `schema` and `_`. Lower-case letters, digits and `_`.
    pub schema: String,
    /// The names of the mirrored entities; by default all but `session`, `email` and `sms`.
    pub entities: Vec<String>,
    /// The columns left out beside every `private_metadata`, as `entity.column`. What a column is
    /// filled from is left out of `raw` too, and where it is a list, of the list's own table; what
    /// the mirror has of it is emptied.
    pub exclude_columns: Vec<String>,
    /// The `private_metadata` columns that are mirrored, as `entity.column`.
    pub include_columns: Vec<String>,
    /// What happens to rows whose entity was deleted.
    pub on_delete: OnDelete,
    /// Whether missing tables, columns and indexes are made at the start; otherwise the mirror
    /// cannot be opened without them.
    pub auto_migrate: bool,
    /// Whether the mirror's own tables are kept; otherwise only the mapped tables and statements.
    pub mirror: bool,
    /// The application's own tables.
    pub tables: Vec<TableMapping>,
    /// The application's own statements.
    pub statements: Vec<StatementOptions>,
    /// How long a row of the application's that conflicts with others is retried.
    pub conflict_patience: Duration,
    /// The sources whose events are applied, by name. Empty: all of them, whatever the instance.
    pub sources: BTreeMap<String, SourceRule>,
    /// How much of the log is applied in one transaction: memory and the length of a lock on the
    /// tables grow with it, the cost of an event falls.
    pub batch: ReadLimit,
    /// How long the mirror waits for a notification of the log before it polls.
    pub poll_every: Duration,
    /// How long one unit of work may take. A database that takes longer, or does not answer at
    /// all, counts as away; the connection is given up, and with it the transaction.
    pub answer_within: Duration,
}

/// What happens to a row whose entity was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDelete {
    /// It goes.
    #[default]
    Delete,
    /// It stays, and its column `deleted_at` says when the entity, or what it ended with, was
    /// deleted.
    Mark,
}

/// A table of the application's that is filled from one kind of entity. Expressions are CEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableMapping {
    /// The entity's name.
    pub entity: String,
    /// The table, with or without its schema.
    pub into: String,
    /// The columns that tell rows apart, each with its expression.
    pub key: Vec<(String, String)>,
    /// The other columns that are written, each with its expression.
    pub columns: Vec<(String, String)>,
    /// What happens to a row whose entity is gone.
    pub on_delete: MappedDelete,
    /// Where the config declares it, for errors.
    pub declared_at: String,
}

/// What happens to a row of the application's whose entity is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappedDelete {
    /// It goes.
    Delete,
    /// It stays as it is.
    Keep,
    /// It stays, with these columns set to what their expressions give.
    Set(Vec<(String, String)>),
}

/// A statement of the application's that is run for events. Expressions are CEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementOptions {
    /// Its name, by which it is known from one start to the next; without one, what it says.
    pub name: Option<String>,
    /// The event types that it runs for; `user.*` is all that begin with `user.`.
    pub on: Vec<String>,
    /// The statement, with parameters such as `:org`.
    pub sql: String,
    /// The expression of each parameter.
    pub params: Vec<(String, String)>,
    /// The condition under which it runs.
    pub when: Option<String>,
    /// What happens to an event that comes too late.
    pub stale: Stale,
    /// Where the config declares it, for errors.
    pub declared_at: String,
}

/// What happens to an event whose entity is gone, or that is older than one that the statement has
/// run for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stale {
    /// The statement is not run for it.
    #[default]
    Skip,
    /// The statement is run for it all the same.
    Run,
}

/// What is known about a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceRule {
    /// The Clerk instance that the source belongs to. Events that name another are not applied;
    /// those that name none, as all did before 2025, are.
    pub instance_id: Option<String>,
}

impl Default for MirrorOptions {
    fn default() -> Self {
        let by_default = entity::ALL.iter().filter(|entity| entity.by_default);
        Self {
            destination: "mirror".to_owned(),
            url: String::new(),
            schema: "clerk".to_owned(),
            entities: by_default.map(|entity| entity.name.to_owned()).collect(),
            exclude_columns: Vec::new(),
            include_columns: Vec::new(),
            on_delete: OnDelete::default(),
            auto_migrate: true,
            mirror: true,
            tables: Vec::new(),
            statements: Vec::new(),
            conflict_patience: Duration::from_secs(60 * 60),
            sources: BTreeMap::new(),
            batch: ReadLimit::default(),
            poll_every: Duration::from_secs(5),
            answer_within: Duration::from_secs(30),
        }
    }
}

impl fmt::Debug for MirrorOptions {
    /// Leaves the URL out: it may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MirrorOptions")
            .field("destination", &self.destination)
            .field("schema", &self.schema)
            .field("entities", &self.entities)
            .field("exclude_columns", &self.exclude_columns)
            .field("include_columns", &self.include_columns)
            .field("on_delete", &self.on_delete)
            .field("auto_migrate", &self.auto_migrate)
            .field("mirror", &self.mirror)
            .field("tables", &self.tables)
            .field("statements", &self.statements)
            .field("conflict_patience", &self.conflict_patience)
            .field("sources", &self.sources)
            .field("batch", &self.batch)
            .field("poll_every", &self.poll_every)
            .field("answer_within", &self.answer_within)
            .finish_non_exhaustive()
    }
}
