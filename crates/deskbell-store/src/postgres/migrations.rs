//! The store's tables, as steps that only add: a release runs beside the one before it on the same
//! tables. `deskbell.migrations` has a row a step that was taken.

use sqlx::PgConnection;

use crate::LogId;

const STEPS: &[&str] = &[
    include_str!("migrations/0001_event_log.sql"),
    include_str!("migrations/0002_deliveries.sql"),
    include_str!("migrations/0003_pending.sql"),
    include_str!("migrations/0004_transfers.sql"),
    include_str!("migrations/0005_upkeep.sql"),
    include_str!("migrations/0006_subjects.sql"),
    include_str!("migrations/0007_consumer_reports.sql"),
    include_str!("migrations/0008_erasure_in_its_source.sql"),
    include_str!("migrations/0009_source_instances.sql"),
    include_str!("migrations/0010_refused_requests.sql"),
    include_str!("migrations/0011_failed_attempts.sql"),
    include_str!("migrations/0012_access_tokens.sql"),
    include_str!("migrations/0013_origins.sql"),
    include_str!("migrations/0014_audit_log.sql"),
    include_str!("migrations/0015_browser_sessions.sql"),
    include_str!("migrations/0016_endpoints.sql"),
    include_str!("migrations/0017_command_progress.sql"),
    include_str!("migrations/0018_removed_destinations.sql"),
    include_str!("migrations/0019_lists.sql"),
    include_str!("migrations/0020_erasure_by_messages.sql"),
    include_str!("migrations/0021_paused_mirrors.sql"),
    include_str!("migrations/0022_packed_payloads.sql"),
];

/// The schema version that this program writes.
pub(super) const VERSION: usize = STEPS.len();

/// The migrating process holds this lock until the end of its transaction; others wait, and check again.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtextextended('deskbell.migrations', 0))";

const TABLE: &str = "CREATE TABLE deskbell.migrations (
    version     integer     PRIMARY KEY,
    migrated_at timestamptz NOT NULL DEFAULT now()
)";

/// What the database contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// No schema of this name, or an empty one.
    Nothing {
        /// Whether the schema exists.
        schema: bool,
    },
    /// A schema of this name with something else in it.
    SomethingElse,
    /// A store of this version.
    Store(usize),
}

/// Makes the other replicas wait that want to migrate too, until the transaction ends.
pub(super) async fn lock(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(LOCK).execute(connection).await?;
    Ok(())
}

/// Looks, and changes nothing.
pub(super) async fn look(connection: &mut PgConnection) -> Result<Found, sqlx::Error> {
    let (schema, objects, marks): (bool, i64, i64) = sqlx::query_as(
        "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'deskbell'),
                (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = 'deskbell'),
                (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = 'deskbell' AND c.relkind = 'r' AND (c.relname, a.attname)
                     IN (('log', 'log_id'), ('migrations', 'version')))",
    )
    .persistent(false)
    .fetch_one(&mut *connection)
    .await?;
    match (objects, marks) {
        (0, _) => Ok(Found::Nothing { schema }),
        (_, 2) => Ok(Found::Store(version(connection).await?)),
        _ => Ok(Found::SomethingElse),
    }
}

async fn version(connection: &mut PgConnection) -> Result<usize, sqlx::Error> {
    let version: i32 =
        sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM deskbell.migrations")
            .persistent(false)
            .fetch_one(connection)
            .await?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

/// Takes the steps that are missing. The caller has the lock, and a transaction open.
pub(super) async fn migrate(
    connection: &mut PgConnection,
    found: Found,
) -> Result<(), sqlx::Error> {
    let version = match found {
        Found::Store(version) => version,
        Found::Nothing { schema } => {
            // `IF NOT EXISTS` would ask for the right to make schemas where it is there.
            if !schema {
                sqlx::raw_sql("CREATE SCHEMA deskbell").execute(&mut *connection).await?;
            }
            sqlx::raw_sql(TABLE).execute(&mut *connection).await?;
            0
        }
        Found::SomethingElse => return Ok(()),
    };
    for (done, step) in STEPS.iter().enumerate().skip(version) {
        sqlx::raw_sql(*step).execute(&mut *connection).await?;
        if done == 0 {
            sqlx::query("INSERT INTO deskbell.log (log_id) VALUES ($1)")
                .bind(LogId::random().to_string())
                .persistent(false)
                .execute(&mut *connection)
                .await?;
        }
        sqlx::query("INSERT INTO deskbell.migrations (version) VALUES ($1)")
            .bind(i32::try_from(done + 1).unwrap_or(i32::MAX))
            .persistent(false)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Whether a copy from another store has begun and not ended.
pub(super) async fn is_half_full(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM deskbell.transfers)")
        .persistent(false)
        .fetch_one(connection)
        .await
}
