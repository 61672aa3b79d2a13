//! Rows that exchange what must be unique: none can go first. Each ring of them is solved by itself.

use std::collections::{BTreeMap, BTreeSet};

use deskbell_expr::Value;

use super::execute::{Executor, TaskOutcome};
use super::lookups::Obstacle;
use super::plan::Task;
use super::texts::RowTexts;
use super::writer::Vacate;
use crate::db::{ColumnClass, DatabaseError, DbSession, LiveColumn, Refusal, Sql, end_unit};

/// Rings may block each other: they are searched again at most this many times.
const PASSES_MAX: usize = 3;
/// Added to the reason where no placeholder is taken.
const HINT: &str =
    "; the rows exchange values, and no placeholder fits: make the constraint DEFERRABLE";

/// What a column is given until all rows of a ring have left their old values.
#[derive(Debug, Clone, Copy)]
enum Placeholder {
    /// Null where the column takes it, and an address elsewhere.
    NullOrAddress,
    Address,
    Plain,
    Uuid,
}

const PLACEHOLDERS: [Placeholder; 4] =
    [Placeholder::NullOrAddress, Placeholder::Address, Placeholder::Plain, Placeholder::Uuid];

/// How rows of a ring leave their old values.
#[derive(Debug, Clone, Copy)]
enum Exchange<'a> {
    /// All at once: what is unique is checked at the end.
    Deferred,
    /// With these columns emptied first.
    Emptied(&'a [&'a Vacate], Placeholder),
}

/// Rows that are obstacles of each other.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ring {
    /// The keys of their tasks.
    keys: BTreeSet<String>,
    /// The unique indexes by which they do; none where that is not known.
    indexes: BTreeSet<usize>,
}

impl Executor<'_> {
    /// Finds the obstacles of the refused tasks, and solves the rings among them.
    pub(super) async fn swap(
        &self,
        session: &mut dyn DbSession,
        outcome: &mut TaskOutcome<'_>,
    ) -> Result<(), DatabaseError> {
        for _ in 0..PASSES_MAX {
            let tasks: Vec<_> = outcome.refused.iter().map(|(task, _)| *task).collect();
            outcome.obstacles_by_key = self.obstacles_of(session, &tasks).await?;
            let mut solved = false;
            for ring in rings(outcome) {
                solved |= self.solve(session, outcome, &ring).await?;
            }
            if !solved || outcome.refused.is_empty() {
                break;
            }
            self.again_while_it_helps(session, outcome).await?;
        }
        Ok(())
    }

    /// Solves one ring, or leaves everything as it was; whether it did.
    async fn solve(
        &self,
        session: &mut dyn DbSession,
        outcome: &mut TaskOutcome<'_>,
        ring: &Ring,
    ) -> Result<bool, DatabaseError> {
        let is_of_ring = |(task, _): &&(&Task, Refusal)| ring.keys.contains(&task.key);
        let tasks: Vec<_> =
            outcome.refused.iter().filter(is_of_ring).map(|(task, _)| *task).collect();
        // As few columns as may do, since what is emptied must be allowed to be.
        let few = ring.indexes.iter().filter_map(|index| self.sql.vacates.get(*index));
        let few: Vec<_> = few.collect();
        let emptied: BTreeSet<_> = few.iter().flat_map(|vacate| vacate.names()).collect();
        let has_more = |all: &&Vacate| all.names().any(|name| !emptied.contains(name));
        let all: Vec<_> = self.sql.vacate_all.iter().filter(has_more).collect();
        let deferred = (!self.sql.deferrable.is_empty()).then_some(Exchange::Deferred);
        let emptied = [&few, &all].into_iter().filter(|columns| !columns.is_empty());
        let emptied = emptied.flat_map(|columns| {
            PLACEHOLDERS.iter().map(move |form| Exchange::Emptied(columns, *form))
        });
        let exchanges: Vec<_> = deferred.into_iter().chain(emptied).collect();
        for how in exchanges {
            session.begin_unit().await?;
            let done = self.exchange(session, &tasks, how).await;
            if let Ok(done) = end_unit(session, done).await? {
                outcome.refused.retain(|(task, _)| !ring.keys.contains(&task.key));
                outcome.take(done, &tasks);
                return Ok(true);
            }
        }
        for (task, refusal) in &mut outcome.refused {
            if ring.keys.contains(&task.key) && !refusal.reason.ends_with(HINT) {
                refusal.reason.push_str(HINT);
            }
        }
        Ok(false)
    }

    async fn exchange(
        &self,
        session: &mut dyn DbSession,
        tasks: &[&Task],
        how: Exchange<'_>,
    ) -> Result<super::execute::Done, DatabaseError> {
        let Exchange::Emptied(vacates, form) = how else {
            return self.exchange_at_once(session, tasks).await;
        };
        for Vacate { columns, bulk } in vacates {
            let rows = tasks.iter().map(|task| {
                let values = columns.iter().map(|column| form.of(column)).collect();
                self.key(task.from().unwrap_or(&task.key)).join(RowTexts::new(columns, values))
            });
            self.bulk(session, bulk, &rows.collect::<Vec<_>>()).await?;
        }
        self.all(session, tasks).await
    }

    async fn exchange_at_once(
        &self,
        session: &mut dyn DbSession,
        tasks: &[&Task],
    ) -> Result<super::execute::Done, DatabaseError> {
        let set = |when: &str, deferred: bool| -> Option<Sql> {
            let these = self.sql.deferrable.iter().filter(|one| !deferred || one.deferred);
            let names: Vec<_> = these.map(|one| one.name.as_str()).collect();
            let names = Some(names.join(", ")).filter(|names| !names.is_empty());
            names.map(|names| format!("SET CONSTRAINTS {names} {when}").into())
        };
        if let Some(defer) = set("DEFERRED", false) {
            session.execute(&defer, &[]).await?;
        }
        let done = self.all(session, tasks).await?;
        if let Some(check) = set("IMMEDIATE", false) {
            session.execute(&check, &[]).await?;
        }
        if let Some(defer) = set("DEFERRED", true) {
            session.execute(&defer, &[]).await?;
        }
        Ok(done)
    }
}

/// Tasks that wait for each other in a ring; and where their obstacles cannot be found, those that
/// wait for one constraint.
fn rings(outcome: &TaskOutcome<'_>) -> Vec<Ring> {
    let refused = outcome.refused.iter().filter(|(_, why)| why.may_pass());
    let refused: BTreeMap<&str, &Refusal> =
        refused.map(|(task, why)| (task.key.as_str(), why)).collect();
    // A row that has to move is an obstacle under its old key.
    let moving = outcome.refused.iter().filter_map(|(task, _)| Some((task.from()?, &*task.key)));
    let moving: BTreeMap<&String, &str> = moving.collect();
    let next = |key: &str| {
        let next = outcome.obstacles_by_key.get(key).into_iter().flatten();
        let next = next.map(|obstacle| task_at(obstacle, &moving));
        next.filter(|key| refused.contains_key(key))
    };
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        refused.keys().map(|key| (*key, reachable(key, next))).collect();
    let mut rings = Vec::new();
    let mut unknown: BTreeMap<Option<&String>, Ring> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (key, refusal) in &refused {
        if !outcome.obstacles_by_key.contains_key(*key) {
            let ring = unknown.entry(refusal.constraint.as_ref()).or_default();
            ring.keys.insert((*key).to_owned());
        }
        if !reach[key].contains(key) || !seen.insert(*key) {
            continue;
        }
        let back = |other: &&&str| reach.get(**other).is_some_and(|from| from.contains(key));
        let ring: BTreeSet<_> = reach[key].iter().filter(back).copied().collect();
        seen.extend(&ring);
        let obstacles = ring.iter().filter_map(|key| outcome.obstacles_by_key.get(*key)).flatten();
        let obstacles = obstacles.filter(|obstacle| ring.contains(task_at(obstacle, &moving)));
        let indexes = obstacles.filter_map(|obstacle| obstacle.index).collect();
        rings.push(Ring { indexes, keys: ring.into_iter().map(str::to_owned).collect() });
    }
    rings.extend(unknown.into_values().filter(|group| group.keys.len() > 1));
    rings
}

/// The key of the task for an obstacle.
fn task_at<'w>(obstacle: &'w Obstacle, moving: &BTreeMap<&String, &'w str>) -> &'w str {
    moving.get(&obstacle.what).copied().unwrap_or(&obstacle.what)
}

fn reachable<'k, I: Iterator<Item = &'k str>>(
    from: &'k str,
    next: impl Fn(&'k str) -> I,
) -> BTreeSet<&'k str> {
    let (mut reached, mut left) = (BTreeSet::new(), vec![from]);
    while let Some(key) = left.pop() {
        left.extend(next(key).filter(|key| reached.insert(*key)));
    }
    reached
}

impl Placeholder {
    /// A value of this form that no other row has.
    fn of(self, column: &LiveColumn) -> Value {
        if !column.not_null && matches!(self, Self::NullOrAddress) {
            return Value::Null;
        }
        let random: u128 = rand::random();
        if column.class == ColumnClass::Integer {
            // Within the smallest of the integer types, and below what is counted.
            let (magnitude, smallest) = (random & 0x7fff, column.base == "smallint");
            let magnitude = if smallest { magnitude } else { random & 0x7fff_ffff };
            let magnitude = i64::try_from(magnitude).unwrap_or_default();
            let negative = matches!(self, Self::NullOrAddress | Self::Plain);
            return Value::Int(if negative { -1 - magnitude } else { magnitude });
        }
        let uuid = uuid(random);
        let text = match self {
            _ if column.base == "uuid" => uuid,
            Self::Uuid => uuid,
            Self::Plain => format!("{random:032x}"),
            Self::NullOrAddress | Self::Address => format!("{random:032x}@swap.invalid"),
        };
        let length = column.length.unwrap_or(usize::MAX);
        let cut = text.len().saturating_sub(length);
        // The beginning is random, and the end says what it is.
        Value::Text(text.get(cut.min(text.len())..).unwrap_or_default().to_owned())
    }
}

/// A random UUID of version 4.
fn uuid(random: u128) -> String {
    let random = random & !(0xf << 76) | 4 << 76;
    let random = random & !(0x3 << 62) | 2 << 62;
    let hex = format!("{random:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Dialect;

    fn column(type_name: &str, length: Option<usize>, not_null: bool) -> LiveColumn {
        LiveColumn {
            lookup: None,
            name: "c".to_owned(),
            type_name: type_name.to_owned(),
            base: type_name.to_owned(),
            class: ColumnClass::of(Dialect::Postgres, type_name),
            length,
            not_null,
            default: None,
            generated: false,
            collation: None,
            deterministic: true,
            equals: "=".to_owned(),
        }
    }

    #[test]
    fn a_placeholder_fits_its_column() {
        let text = |form: Placeholder, column: &LiveColumn| match form.of(column) {
            Value::Text(text) => text,
            other => panic!("{other:?}"),
        };
        let varchar = column("character varying", Some(20), true);
        for form in PLACEHOLDERS {
            assert!(text(form, &varchar).len() <= 20);
            assert_eq!(text(form, &column("uuid", None, true)).len(), 36);
        }
        assert!(text(Placeholder::Address, &varchar).ends_with("@swap.invalid"));
        assert!(Placeholder::NullOrAddress.of(&column("text", None, false)) == Value::Null);
        let small = Placeholder::Plain.of(&column("smallint", None, true));
        assert!(matches!(small, Value::Int(int) if (-32768..0).contains(&int)));
    }
}
