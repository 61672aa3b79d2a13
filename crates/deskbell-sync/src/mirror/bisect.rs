//! Finding what the database refuses by bisecting, each half a unit of work of its own.

use std::collections::HashMap;

use super::refused::{Refused, RefusedKind};
use super::rows;
use super::streak::Streak;
use crate::batch::{DeadLetter, Row, Tombstone, shortened_reason};
use crate::db::{Bulk, DatabaseError, DbSession, Param, Refusal, Sql, end_unit};
use crate::entity::Entity;
use crate::sql::TableStatements;
use crate::version::{Rank, Version};

/// An entity that something is done about by its id, and the event that wants it.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) id: String,
    pub(super) origin: Origin,
}

/// The event that a unit of work comes from, as a dead letter names it.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) source: String,
    pub(super) message_id: String,
    pub(super) event_type: String,
    pub(super) version: Version,
}

/// A part of a batch that can be bisected.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    Tombstones {
        insert: &'a Bulk,
        tombstones: &'a [Tombstone],
    },
    /// By `delete` of the table, the rows of entities that have a tombstone go; by `settle`, the rows
    /// whose parents have one, and dead letters that are overtaken.
    Subjects {
        table: &'a TableStatements,
        sql: &'a [Sql],
        subjects: &'a [Subject],
    },
    Rows {
        table: &'a TableStatements,
        rows: &'a [Row],
    },
}

impl<'a> Piece<'a> {
    fn len(&self) -> usize {
        match self {
            Self::Tombstones { tombstones, .. } => tombstones.len(),
            Self::Subjects { subjects, .. } => subjects.len(),
            Self::Rows { rows, .. } => rows.len(),
        }
    }

    fn halves(self) -> [Self; 2] {
        let middle = self.len() / 2;
        match self {
            Self::Tombstones { insert, tombstones } => {
                let (first, second) = tombstones.split_at(middle);
                [first, second].map(|tombstones| Self::Tombstones { insert, tombstones })
            }
            Self::Subjects { table, sql, subjects } => {
                let (first, second) = subjects.split_at(middle);
                [first, second].map(|subjects| Self::Subjects { table, sql, subjects })
            }
            Self::Rows { table, rows } => {
                let (first, second) = rows.split_at(middle);
                [first, second].map(|rows| Self::Rows { table, rows })
            }
        }
    }

    async fn attempt(
        self,
        session: &mut dyn DbSession,
    ) -> Result<Result<u64, Refusal>, DatabaseError> {
        session.begin_unit().await?;
        let done = self.run(session).await;
        end_unit(session, done).await
    }

    async fn run(self, session: &mut dyn DbSession) -> Result<u64, DatabaseError> {
        match self {
            Self::Tombstones { insert, tombstones } => {
                let rows: Vec<_> = tombstones.iter().map(rows::tombstone).collect();
                session.bulk(insert, &rows).await.map(|_| 0)
            }
            Self::Rows { table, rows } => rows::write(session, table, rows).await,
            Self::Subjects { sql, subjects, .. } => {
                let ids: Vec<_> = subjects.iter().map(|subject| &*subject.id).collect();
                for sql in sql {
                    session.execute(sql, &[Param::Texts(&ids)]).await?;
                }
                Ok(0)
            }
        }
    }

    /// The refused unit of work, of a piece of one.
    pub(super) fn refused(self, refusal: Refusal) -> Option<Refused> {
        let (kind, letter) = match self {
            Self::Tombstones { tombstones, .. } => {
                let gone = tombstones.first()?;
                (RefusedKind::Row, dead_letter(gone.entity, &gone.id, gone.origin(), &refusal))
            }
            Self::Subjects { table, subjects, .. } => {
                let subject = subjects.first()?;
                let origin = subject.origin.clone();
                (RefusedKind::Delete, dead_letter(table.entity.name, &subject.id, origin, &refusal))
            }
            Self::Rows { table, rows } => {
                let row = rows.first()?;
                (RefusedKind::Row, dead_letter(table.entity.name, &row.id, row.origin(), &refusal))
            }
        };
        Some(Refused { dead_letter: letter, kind, refusal: Some(refusal) })
    }
}

#[derive(Debug, Default)]
pub(super) struct Isolated<'a> {
    pub(super) rows_written: u64,
    /// Single ones.
    pub(super) refused: Vec<(Piece<'a>, Refusal)>,
    /// So many were refused in a row that the rest was not tried.
    pub(super) given_up: Option<Refusal>,
}

/// Does what the database takes of the piece.
pub(super) async fn bisect<'a>(
    session: &mut dyn DbSession,
    piece: Piece<'a>,
    streak: &mut Streak,
) -> Result<Isolated<'a>, DatabaseError> {
    let mut isolated = Isolated::default();
    let mut left = vec![piece];
    while let Some(piece) = left.pop() {
        if piece.len() == 0 {
            continue;
        }
        match piece.attempt(session).await? {
            Ok(rows_written) => {
                streak.done();
                isolated.rows_written += rows_written;
            }
            Err(_) if piece.len() > 1 => {
                let [first, second] = piece.halves();
                left.extend([second, first]);
            }
            Err(refusal) => {
                if streak.refused(&refusal) {
                    isolated.given_up = Some(refusal);
                    break;
                }
                isolated.refused.push((piece, refusal));
            }
        }
    }
    Ok(isolated)
}

/// Does what the database takes of the piece, however much it refuses; what it refused.
pub(super) async fn apply_piece(
    session: &mut dyn DbSession,
    piece: Piece<'_>,
) -> Result<Vec<Refused>, DatabaseError> {
    let isolated = bisect(session, piece, &mut Streak::endless()).await?;
    let refused = isolated.refused.into_iter();
    Ok(refused.filter_map(|(piece, refusal)| piece.refused(refusal)).collect())
}

/// Tries what was refused alone once more, now that the rest of the batch is there: first all as
/// one, since they may need each other, then each.
pub(super) async fn once_more(
    session: &mut dyn DbSession,
    refused: Vec<(Piece<'_>, Refusal)>,
    rows_written: &mut u64,
) -> Result<Vec<Refused>, DatabaseError> {
    if refused.len() > 1 && together(session, &refused).await? {
        *rows_written += u64::try_from(refused.len()).unwrap_or(u64::MAX);
        return Ok(Vec::new());
    }
    let mut left = Vec::new();
    for (piece, _) in refused {
        match piece.attempt(session).await? {
            Ok(written) => *rows_written += written,
            Err(refusal) => left.extend(piece.refused(refusal)),
        }
    }
    Ok(left)
}

async fn together(
    session: &mut dyn DbSession,
    refused: &[(Piece<'_>, Refusal)],
) -> Result<bool, DatabaseError> {
    session.begin_unit().await?;
    let mut done = Ok(());
    for (piece, _) in refused {
        done = piece.run(session).await.map(drop);
        if done.is_err() {
            break;
        }
    }
    Ok(end_unit(session, done).await?.is_ok())
}

/// The ids that a batch says anything about, each with an event that does.
pub(super) fn subjects(
    rows: &[Row],
    dead_letters: &[DeadLetter],
    tombstones: &[Tombstone],
    entity: &Entity,
) -> Vec<Subject> {
    let mut found: HashMap<&str, Origin> = HashMap::new();
    for letter in dead_letters.iter().filter(|letter| letter.entity == entity.name) {
        if let Some(id) = &letter.id {
            let origin = Origin {
                source: letter.source.clone(),
                message_id: letter.message_id.clone(),
                event_type: letter.event_type.clone(),
                version: letter.version.clone(),
            };
            found.insert(id, origin);
        }
    }
    found.extend(rows.iter().map(|row| (&*row.id, row.origin())));
    let gone = tombstones.iter().filter(|gone| gone.entity == entity.name);
    found.extend(gone.map(|gone| (&*gone.id, gone.origin())));
    let subjects = found.into_iter().map(|(id, origin)| Subject { id: id.to_owned(), origin });
    subjects.collect()
}

impl Tombstone {
    pub(super) fn origin(&self) -> Origin {
        Origin {
            source: self.event.source.to_string(),
            message_id: self.message_id.clone(),
            event_type: self.event.event_type.to_string(),
            version: Version {
                updated_at_ms: self.occurred_at_ms,
                occurred_at_ms: self.occurred_at_ms,
                rank: Rank::Deleted,
                message_id: self.message_id.clone(),
            },
        }
    }
}

impl Row {
    fn origin(&self) -> Origin {
        let message_id = &self.version.message_id;
        Origin {
            source: self.event.source.to_string(),
            message_id: self
                .caused_by
                .as_ref()
                .map_or(message_id, |event| &event.message_id)
                .clone(),
            event_type: self.event.event_type.to_string(),
            version: self.version.clone(),
        }
    }
}

fn dead_letter(entity: &'static str, id: &str, origin: Origin, refusal: &Refusal) -> DeadLetter {
    DeadLetter {
        source: origin.source,
        message_id: origin.message_id,
        event_type: origin.event_type,
        part: String::new(),
        entity,
        id: Some(id.to_owned()),
        version: origin.version,
        reason: shortened_reason(&refusal.reason),
    }
}
