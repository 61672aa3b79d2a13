//! Statements: run in the order of the log, each event once in effect.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use deskbell_expr::{Condition, EventParts, EventView, Expression, Value};
use deskbell_store::{Seq, StoredEvent};

use super::live::Class;
use super::named::Numbered;
use super::record::Record;
use super::records::{RecordStatements, Scope};
use super::scalar::cleaned;
use super::statement_text::{check_statement, first_words};
use super::{DeclarationError, DeclarationProblem, MappedTableProblem, compile_all};
use crate::batch::{DeadLetter, reason_for_people};
use crate::mapping::revision_of;
use crate::options::{Stale, StatementOptions};
use crate::refusal::Refusal;
use crate::schema::Dialect;
use crate::session::{DatabaseError, Param, Session, Sql, begin_unit, end_unit};
use crate::version::Version;

/// Types that no pattern matches: they bear one-time codes and must be named.
const NAMED_ONLY: [&str; 2] = ["email.created", "sms.created"];

/// A statement with its expressions.
#[derive(Debug)]
pub(crate) struct CompiledStatement {
    /// Its name in `_versions` and in dead letters.
    pub(crate) name: String,
    /// What people are shown in the place of that.
    pub(crate) title: String,
    on: Vec<String>,
    numbered: Numbered,
    /// In the order of the numbers.
    params: Vec<(String, Expression)>,
    when: Option<Expression>,
    stale: Stale,
    pub(crate) declared_at: String,
}

/// A statement that is to be run for one event.
#[derive(Debug, PartialEq)]
pub(crate) struct StatementRun {
    pub(crate) statement: usize,
    pub(crate) seq: Seq,
    pub(crate) source: Arc<str>,
    pub(crate) event_type: String,
    pub(crate) entity: &'static str,
    pub(crate) id: String,
    pub(crate) version: Version,
    /// The event says that the entity is gone.
    pub(crate) ends: bool,
    pub(crate) params: Vec<Value>,
}

/// What a batch has for statements.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct StatementWork {
    /// In the order of the log.
    pub(crate) runs: Vec<StatementRun>,
    /// The deletes, in the order of the log: place, entity and id.
    pub(crate) ends: Vec<(Seq, &'static str, String)>,
}

impl CompiledStatement {
    pub(crate) fn compile(
        options: &StatementOptions,
        dialect: Dialect,
    ) -> Result<Self, DeclarationError> {
        let declared_at = options.declared_at.clone();
        let problem = |problem| DeclarationError { declared_at: declared_at.clone(), problem };
        check_statement(&options.sql, dialect).map_err(|error| problem(error.into()))?;
        let numbered = Numbered::parse(&options.sql, dialect);
        let mut given = compile_all("params", &options.params).map_err(problem)?;
        let mut params = Vec::new();
        for name in &numbered.names {
            let found = given.iter().position(|(given, _)| given == name);
            let missing = || DeclarationProblem::MissingParameter { name: name.clone() };
            params.push(given.remove(found.ok_or_else(missing).map_err(problem)?));
        }
        if let Some((name, _)) = given.pop() {
            return Err(problem(DeclarationProblem::UnusedParameter { name }));
        }
        let when = options.when.as_ref().map(|text| ("when".to_owned(), text.clone()));
        let mut when = compile_all("statement", when.as_slice()).map_err(problem)?;
        Ok(Self {
            name: identity(options),
            title: title(options),
            on: options.on.clone(),
            numbered,
            params,
            when: when.pop().map(|(_, expression)| expression),
            stale: options.stale,
            declared_at,
        })
    }

    /// Compiles all of them; what each has run for must be told apart from the others'.
    pub(crate) fn compile_all(
        options: &[StatementOptions],
        dialect: Dialect,
    ) -> Result<Vec<Arc<Self>>, DeclarationError> {
        let mut compiled: Vec<Arc<Self>> = Vec::new();
        for options in options {
            let statement = Self::compile(options, dialect)?;
            if let Some(other) = compiled.iter().find(|other| other.name == statement.name) {
                let problem = DeclarationProblem::StatementTwice { other: other.title.clone() };
                return Err(DeclarationError { declared_at: statement.declared_at, problem });
            }
            compiled.push(Arc::new(statement));
        }
        Ok(compiled)
    }

    /// What it is kept by, and what people know it by.
    pub(crate) fn names(&self) -> (String, String) {
        (self.name.clone(), self.title.clone())
    }

    /// Whether it runs for events of this type.
    pub(crate) fn is_on(&self, event_type: &str) -> bool {
        self.on.iter().any(|on| match on.strip_suffix('*') {
            _ if on == event_type => true,
            Some(prefix) => event_type.starts_with(prefix) && !NAMED_ONLY.contains(&event_type),
            None => false,
        })
    }

    /// The parameters for this event, which is about `id`; `None` where `when` does not hold.
    pub(crate) fn evaluate(
        &self,
        event: &StoredEvent,
        id: &str,
    ) -> Result<Option<Vec<Value>>, String> {
        let parts = EventParts {
            id: &event.message_id,
            event_type: &event.event_type,
            source: &event.source,
            subject: event.subject.as_deref().or(Some(id)).filter(|id| !id.is_empty()),
            occurred_at_ms: event.occurred_at_ms,
            instance_id: event.instance_id.as_deref(),
        };
        let view = EventView::of_body(parts, &event.payload);
        if let Some(when) = &self.when
            && when.holds(&view).map_err(|error| error.to_string())? != Condition::True
        {
            return Ok(None);
        }
        let evaluate = |(_, expression): &(String, Expression)| expression.evaluate(&view);
        let params = self.params.iter().map(evaluate).map(|value| value.map(cleaned));
        params.collect::<Result<_, _>>().map(Some).map_err(|error| error.to_string())
    }
}

/// What a statement is known by from one start to the next: its name, or what it says, so that
/// statements may change their order.
pub(crate) fn identity(options: &StatementOptions) -> String {
    let unnamed =
        || format!("statement {:016x}", revision_of(format!("{:?} {}", options.on, options.sql)));
    options.name.clone().unwrap_or_else(unnamed)
}

/// What people know a statement by: its name, or where the config declares it and its first words.
pub(crate) fn title(options: &StatementOptions) -> String {
    let unnamed = || format!("{}: {}", options.declared_at, first_words(&options.sql));
    options.name.clone().unwrap_or_else(unnamed)
}

/// A statement that the database has prepared.
#[derive(Debug)]
pub(crate) struct StatementTarget {
    statement: Arc<CompiledStatement>,
    dialect: Dialect,
    sql: Sql,
    classes: Vec<Class>,
    records: RecordStatements,
}

impl StatementTarget {
    /// Has the database look at the statement, and compares the types.
    pub(crate) async fn new(
        session: &mut dyn Session,
        scope: Scope<'_>,
        statement: Arc<CompiledStatement>,
    ) -> Result<Result<Self, MappedTableProblem>, DatabaseError> {
        let dialect = scope.dialect;
        let plain = statement.numbered.sql(|number| format!("${number}")).into();
        let types = match session.parameter_types(&plain).await {
            Ok(types) => types,
            Err(error) => match error.complaint() {
                Some(reason) => return Ok(Err(MappedTableProblem::Statement { reason })),
                None => return Err(error),
            },
        };
        let classes: Vec<_> = types.iter().map(|name| Class::of(dialect, name)).collect();
        let sql = statement.numbered.sql(|number| match (dialect, types.get(number - 1)) {
            (Dialect::Postgres, Some(name)) => format!("CAST(${number}::text AS {name})"),
            _ => format!("${number}"),
        });
        let records = RecordStatements::new(scope, &statement.name);
        let target = Self { dialect, sql: sql.into(), classes, records, statement };
        Ok(target.check(&types).map(|()| target))
    }

    fn check(&self, types: &[String]) -> Result<(), MappedTableProblem> {
        let params = self.statement.params.iter().zip(&self.classes).zip(types);
        for (((name, expression), class), type_name) in params {
            let checked = expression.check(&self.statement.on);
            if let Some((event_type, error)) = checked.failures.first() {
                let reason = format!("on {event_type}: {error}");
                return Err(MappedTableProblem::Expression { column: name.clone(), reason });
            }
            let untyped = self.dialect == Dialect::Sqlite;
            if let Some(gives) = checked.kinds.into_iter().find(|kind| !class.holds(*kind))
                && !untyped
            {
                return Err(MappedTableProblem::WrongParameter {
                    name: name.clone(),
                    type_name: type_name.clone(),
                    gives,
                });
            }
        }
        Ok(())
    }

    /// What it is known by.
    pub(crate) fn name(&self) -> &str {
        &self.statement.name
    }

    /// Has the database plan the statement: what it refuses now it refuses for every event.
    pub(crate) async fn probe(&self, session: &mut dyn Session) -> Result<(), DatabaseError> {
        session.explain(&self.sql, self.classes.len()).await
    }

    async fn run(
        &self,
        session: &mut dyn Session,
        run: &StatementRun,
    ) -> Result<u64, DatabaseError> {
        let texts: Vec<_> = run
            .params
            .iter()
            .enumerate()
            .map(|(index, value)| {
                self.classes.get(index).copied().unwrap_or(Class::Other).text(value)
            })
            .collect();
        let parameters =
            run.params.iter().zip(&texts).map(|(value, text)| match (self.dialect, value) {
                (Dialect::Sqlite, Value::Int(integer)) => Param::Integer(*integer),
                (Dialect::Sqlite, Value::Float(float)) => Param::Float(*float),
                (Dialect::Sqlite, Value::Bool(boolean)) => Param::Boolean(*boolean),
                _ => Param::OptionalText(text.as_deref()),
            });
        session.execute(&self.sql, &parameters.collect::<Vec<_>>()).await
    }
}

/// What is known before a batch that decides whether statements run.
#[derive(Debug, Default)]
struct Before {
    /// Entities that are gone.
    gone: HashSet<(&'static str, String)>,
    /// By statement and entity, the newest event that it has run for.
    newest: BTreeMap<(usize, String), Version>,
}

impl Before {
    async fn load(
        session: &mut dyn Session,
        targets: &[StatementTarget],
        work: &StatementWork,
    ) -> Result<Self, DatabaseError> {
        let mut before = Self::default();
        let mut by_entity: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
        for run in &work.runs {
            by_entity.entry(run.entity).or_default().insert(&run.id);
        }
        for (index, target) in targets.iter().enumerate() {
            let ids = work.runs.iter().filter(|run| run.statement == index);
            let ids: BTreeSet<_> = ids.map(|run| run.id.as_str()).collect();
            let ids: Vec<_> = ids.into_iter().collect();
            for record in target.records.by_id(session, &ids).await? {
                if let Some(version) = record.version {
                    before.newest.insert((index, record.id), version);
                }
            }
        }
        let Some(target) = targets.first() else { return Ok(before) };
        for (entity, ids) in by_entity {
            let ids: Vec<_> = ids.into_iter().collect();
            for (id, _, _) in target.records.tombstones(session, entity, &ids).await? {
                before.gone.insert((entity, id));
            }
        }
        Ok(before)
    }
}

/// Notes in the checkpoint how far statements have run, ahead of it.
pub(crate) struct StatementMarker<'a> {
    pub(crate) sql: &'a Sql,
    /// Destination, log, seq and token as they must stand there.
    pub(crate) parameters: [Param<'a>; 4],
}

impl StatementMarker<'_> {
    pub(crate) async fn mark(
        &self,
        session: &mut dyn Session,
        seq: Seq,
    ) -> Result<(), DatabaseError> {
        let [destination, log, at, token] = self.parameters;
        let parameters = [Param::Integer(seq.get()), destination, log, at, token];
        session.execute(self.sql, &parameters).await.map(drop)
    }
}

/// The statements of a batch, one event after another.
pub(crate) struct StatementPass<'a> {
    targets: &'a [StatementTarget],
    before: Before,
    /// The last event that they have run for; `None` holds them back.
    done_up_to: Option<Seq>,
    /// Some of an event's statements may have run before, without the others.
    again: bool,
    runs: &'a [StatementRun],
    ends: &'a [(Seq, &'static str, String)],
    /// By statement and entity, the newest event of this batch that it has run for.
    ran: BTreeMap<(usize, &'a str), &'a StatementRun>,
}

/// What came of one event's statements: what is kept of one that was refused, and why.
pub(crate) type Outcome = Result<(), (DeadLetter, Refusal)>;

impl<'a> StatementPass<'a> {
    /// Reads what decides whether they run; the batch's own tombstones must not be there yet.
    pub(crate) async fn load(
        session: &mut dyn Session,
        targets: &'a [StatementTarget],
        work: &'a StatementWork,
        done_up_to: Option<Seq>,
        again: bool,
    ) -> Result<Self, DatabaseError> {
        let before = Before::load(session, targets, work).await?;
        let (runs, ends) = (&*work.runs, &*work.ends);
        Ok(Self { targets, before, done_up_to, again, runs, ends, ran: BTreeMap::new() })
    }

    /// Runs the statements of the next event that has any, of those that `takes` lets run. What the
    /// database refuses of one of them is undone for all of the event's. `None`: there is no event left.
    pub(crate) async fn run_next(
        &mut self,
        session: &mut dyn Session,
        marker: &StatementMarker<'_>,
        takes: impl Fn(&StatementTarget) -> bool,
    ) -> Result<Option<(Seq, Outcome)>, DatabaseError> {
        let Some(done_up_to) = self.done_up_to else { return Ok(None) };
        while let Some(first) = self.runs.first() {
            let length = self.runs.iter().take_while(|run| run.seq == first.seq).count();
            let (event, later) = self.runs.split_at(length);
            self.runs = later;
            self.pass_ends(first.seq);
            let due = event.iter().filter(|run| run.seq > done_up_to && self.lets(run, &takes));
            let due: Vec<_> = due.collect();
            if due.is_empty() {
                continue;
            }
            let done = run_event(session, self.targets, &due, marker).await?;
            if done.is_ok() {
                for run in due {
                    let newest = (run.statement, run.id.clone());
                    self.before.newest.insert(newest, run.version.clone());
                    self.ran.insert((run.statement, &run.id), run);
                }
                if session.commits_units() {
                    self.remember(session).await?;
                }
            }
            let letter = |(run, why): (&StatementRun, Refusal)| {
                (letter(self.targets, run, &why.reason), why)
            };
            return Ok(Some((first.seq, done.map_err(letter))));
        }
        Ok(None)
    }

    fn pass_ends(&mut self, before: Seq) {
        while let Some(((seq, entity, id), later)) = self.ends.split_first()
            && *seq < before
        {
            self.before.gone.insert((entity, id.clone()));
            self.ends = later;
        }
    }

    fn lets(&self, run: &StatementRun, takes: impl Fn(&StatementTarget) -> bool) -> bool {
        let Some(target) = self.targets.get(run.statement).filter(|target| takes(target)) else {
            return false;
        };
        let is_gone = !run.ends && self.before.gone.contains(&(run.entity, run.id.clone()));
        let newest = self.before.newest.get(&(run.statement, run.id.clone()));
        if self.again && newest == Some(&run.version) {
            return false;
        }
        let is_stale = newest.is_some_and(|newest| run.version < *newest);
        target.statement.stale == Stale::Run || !is_gone && !is_stale
    }

    /// Notes which events the statements have run for.
    pub(crate) async fn remember(&self, session: &mut dyn Session) -> Result<(), DatabaseError> {
        for (index, target) in self.targets.iter().enumerate() {
            let of_target = self.ran.iter().filter(|((statement, _), _)| *statement == index);
            let records: Vec<_> = of_target
                .map(|((_, id), run)| Record {
                    version: Some(run.version.clone()),
                    source: run.source.to_string(),
                    event_type: run.event_type.clone(),
                    ..Record::new(id)
                })
                .collect();
            target.records.write(session, records.iter()).await?;
        }
        Ok(())
    }
}

/// All statements of one event, or none of them. Where this is a transaction, the mark that they have
/// run is in it.
async fn run_event<'a>(
    session: &mut dyn Session,
    targets: &[StatementTarget],
    due: &[&'a StatementRun],
    marker: &StatementMarker<'_>,
) -> Result<Result<(), (&'a StatementRun, Refusal)>, DatabaseError> {
    begin_unit(session).await?;
    let mut last = None;
    let mut done = Ok(());
    for run in due {
        let Some(target) = targets.get(run.statement) else { continue };
        last = Some(*run);
        done = target.run(session, run).await.map(drop);
        if done.is_err() {
            break;
        }
    }
    if let (Ok(()), Some(run), true) = (&done, last, session.commits_units()) {
        done = marker.mark(session, run.seq).await;
    }
    let done = end_unit(session, done).await?;
    // What is refused only when it is to be kept is put down to the last one.
    Ok(match (done, last) {
        (Err(why), Some(run)) => Err((run, why)),
        _ => Ok(()),
    })
}

fn letter(targets: &[StatementTarget], run: &StatementRun, reason: &str) -> DeadLetter {
    let part = targets.get(run.statement).map(|target| target.statement.name.clone());
    DeadLetter {
        source: run.source.to_string(),
        message_id: run.version.message_id.clone(),
        event_type: run.event_type.clone(),
        part: part.unwrap_or_default(),
        entity: run.entity,
        id: Some(run.id.clone()).filter(|id| !id.is_empty()),
        version: run.version.clone(),
        reason: reason_for_people(reason),
    }
}
