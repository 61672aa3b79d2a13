//! Batches into an application's table of which many rows wait for others, against the same batches where none wait.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use deskbell_store::{FencingToken, LogId, NewEvent, Origin, Seq, StoredEvent};
use deskbell_sync::{
    Checkpoint, ColumnValues, Commit, DatabaseConfig, ErrorMode, Expressions, Fold, Line,
    MirrorOptions, OnRowDelete, TableConfig, Target, connect,
};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

use crate::database::{Database, Server};
use crate::error::BenchError;
use crate::report::{Aim, Report, Row};

const OF_NONE_WAITING_AIM: f64 = 1.1;
const APP_USERS: &str = "CREATE TABLE app_users (clerk_id varchar(80) PRIMARY KEY,
    email varchar(80) UNIQUE, name text)";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Rows that wait, or are only there
    #[arg(long, default_value_t = 100_000)]
    rows: usize,
    /// Batches that are measured
    #[arg(long, default_value_t = 20)]
    batches: usize,
    /// Users in each of them
    #[arg(long, default_value_t = 1_000)]
    users: usize,
    /// Rounds of each, in turn; the best ones count: what else runs only ever slows one down
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    #[command(flatten)]
    server: Server,
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(options))
}

async fn measure(options: &Options) -> Result<Report, BenchError> {
    let (mut rows, mut aims) = (Vec::new(), Vec::new());
    for (name, server) in [("SQLite", None), ("PostgreSQL", Some(&options.server))] {
        let (mut none, mut waiting) = (0.0, 0.0);
        for round in 0..options.rounds.max(1) {
            eprintln!("waiting: round {} of {} on {name}", round + 1, options.rounds);
            none = f64::max(none, per_second(options, server, false).await?);
            waiting = f64::max(waiting, per_second(options, server, true).await?);
        }
        let row =
            |what: String, per_second| Row { what, numbers: vec![("per_second", per_second)] };
        rows.push(row(format!("users into a table on {name}, none of whose rows waits"), none));
        rows.push(row(format!("the same, where {} rows wait", options.rows), waiting));
        let what = format!("time with waiting rows against without, {name}");
        aims.push(Aim::at_most(what, OF_NONE_WAITING_AIM, none / waiting));
    }
    Ok(Report::new("waiting", rows, aims).with_note(options.server.settings().await?))
}

/// The users a second that are written.
async fn per_second(
    options: &Options,
    server: Option<&Server>,
    waits: bool,
) -> Result<f64, BenchError> {
    let location = Location::new(server).await?;
    location.run(APP_USERS).await?;
    let (target, mut position) = open(&location).await?;
    let fold = Fold::new(target.mappings(), BTreeMap::new());
    apply(&*target, &fold, &mut position, &[signs_up("first")]).await?;
    location.run(&others(options.rows)).await?;
    location.run(&records(&location, options.rows, waits)).await?;
    location.run(location.before_measuring()).await?;
    let batches: Vec<Vec<_>> = (0..options.batches)
        .map(|batch| (0..options.users).map(|n| signs_up(&format!("user_{batch}_{n}"))).collect())
        .collect();
    let started = Instant::now();
    for batch in &batches {
        apply(&*target, &fold, &mut position, batch).await?;
    }
    let seconds = started.elapsed().as_secs_f64();
    target.close().await;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    Ok((options.batches * options.users) as f64 / seconds)
}

/// Opens the destination where nothing has come to it yet.
async fn open(location: &Location) -> Result<(Arc<dyn Target>, Checkpoint), BenchError> {
    let table = TableConfig {
        entity: "user".to_owned(),
        into: "app_users".to_owned(),
        key: ColumnValues::from_iter([("clerk_id", "subject")]),
        columns: ColumnValues::from_iter([
            ("email", "user.primary_email_address"),
            ("name", "user.full_name"),
        ]),
        on_insert: Expressions::default(),
        on_delete: OnRowDelete::Delete,
        line: Line(Some(1)),
    };
    let url = location.url();
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig {
            url: url.parse().map_err(BenchError::MirrorUrl)?,
            mirror: false,
            tables: vec![table],
            ..DatabaseConfig::default()
        },
    );
    let target = connect(&options).await?;
    let position = Checkpoint {
        log_id: LogId::random(),
        destination: options.destination,
        seq: Seq::ZERO,
        message_id: String::new(),
        token: FencingToken::new(1),
        mapping_revision: target.mappings().revision(),
        statements: Some(Seq::ZERO),
    };
    kept(&target.take_over(None, &position).await?)?;
    Ok((target, position))
}

async fn apply(
    target: &dyn Target,
    fold: &Fold,
    position: &mut Checkpoint,
    events: &[StoredEvent],
) -> Result<(), BenchError> {
    let next = position.advanced(position.seq.next(), "msg");
    let commit = target.apply(&fold.fold(events), position, &next, ErrorMode::Fail).await?;
    *position = next;
    kept(&commit)
}

fn kept(commit: &Commit) -> Result<(), BenchError> {
    match commit {
        Commit::Lost => Err(BenchError::NotFound { what: "the checkpoint".to_owned() }),
        Commit::Done { .. } => Ok(()),
    }
}

fn signs_up(id: &str) -> StoredEvent {
    let data = json!({
        "id": id, "first_name": "Ada", "last_name": id, "updated_at": 1,
        "primary_email_address_id": "idn_1",
        "email_addresses": [{ "id": "idn_1", "email_address": format!("{id}@x.dev") }],
    });
    let body = json!({ "type": "user.created", "object": "event", "timestamp": 1, "data": data });
    StoredEvent {
        seq: Seq::new(1),
        received_at_ms: 0,
        event: NewEvent {
            source: "clerk".into(),
            message_id: format!("msg_{id}"),
            event_type: "user.created".to_owned(),
            subject: None,
            occurred_at_ms: 1,
            instance_id: None,
            payload: body.to_string().into(),
            origin: Origin::Webhook,
        },
    }
}

/// Numbers up to this one, as `n`.
fn numbers(rows: usize) -> String {
    format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})"
    )
}

/// Rows of the application's own, which have the addresses that others wait for.
fn others(rows: usize) -> String {
    format!(
        "{} INSERT INTO app_users (clerk_id, email) SELECT 'ours_' || n, n || '@taken.dev' FROM numbers",
        numbers(rows)
    )
}

/// What is known of as many users, who wait for these addresses or have none to wait for.
fn records(location: &Location, rows: usize, waits: bool) -> String {
    let versions = location.versions();
    let now = location.now();
    let waiting = if waits {
        format!("{now}, {now}, 9, 'duplicate', '[\"ours_' || n || '\"]'")
    } else {
        "NULL, NULL, 0, NULL, NULL".to_owned()
    };
    format!(
        "{} INSERT INTO {versions} (destination, mapping, id, _updated_at_ms, _occurred_at_ms,
             _message_id, created_at_ms, key, columns, source, event_type, mapping_rev,
             parked_since, retry_at, tries, reason, waits_for)
         SELECT destination, mapping, 'waits_' || n, 1, 1, 'msg', 1, '[\"waits_' || n || '\"]',
             '[\"' || n || '@taken.dev\",\"Ada\"]', source, event_type, mapping_rev, {waiting}
         FROM {versions} CROSS JOIN numbers WHERE id = 'first'",
        numbers(rows)
    )
}

/// A database of one round.
enum Location {
    Sqlite(TempDir),
    Postgres(Database),
}

impl Location {
    async fn new(server: Option<&Server>) -> Result<Self, BenchError> {
        let location = match server {
            None => Self::Sqlite(tempfile::tempdir()?),
            Some(server) => Self::Postgres(server.create_database().await?),
        };
        Ok(location)
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(directory) => {
                format!("sqlite://{}", directory.path().join("app.db").display())
            }
            Self::Postgres(database) => database.url().to_owned(),
        }
    }

    fn versions(&self) -> &'static str {
        if matches!(self, Self::Sqlite(_)) { "clerk__versions" } else { "clerk._versions" }
    }

    fn now(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
            Self::Postgres(_) => "now()",
        }
    }

    /// So that no round pays for how its rows came there.
    fn before_measuring(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)",
            Self::Postgres(_) => "CHECKPOINT; ANALYZE",
        }
    }

    async fn run(&self, sql: &str) -> Result<(), BenchError> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Self::Sqlite(_) => {
                let options = SqliteConnectOptions::from_str(&self.url())?.create_if_missing(true);
                let mut connection = options.connect().await?;
                sqlx::raw_sql(sql).execute(&mut connection).await?;
                connection.close().await?;
            }
            Self::Postgres(database) => {
                let mut connection = database.connect().await?;
                sqlx::raw_sql(sql).execute(&mut connection).await?;
                connection.close().await?;
            }
        }
        Ok(())
    }
}
