//! Finding what keeps the database from taking rows.

use super::execute::Executor;
use super::lookups::{Obstacle, Obstacles, Question};
use super::plan::Task;
use super::texts::RowTexts;
use crate::db::{DatabaseError, DbSession, end_unit};

impl Executor<'_> {
    /// By the key of a task, the keys of rows that have what it must have alone, and what its foreign
    /// keys refer to that is not there.
    pub(super) async fn obstacles_of(
        &self,
        session: &mut dyn DbSession,
        tasks: &[&Task],
    ) -> Result<Obstacles, DatabaseError> {
        self.obstacles_by(session, &self.sql.lookups.questions, tasks).await
    }

    /// The rows that are looked up for these tasks and that are not there.
    pub(super) async fn missing_parents(
        &self,
        session: &mut dyn DbSession,
        tasks: &[&Task],
    ) -> Result<Obstacles, DatabaseError> {
        self.obstacles_by(session, self.sql.lookups.parents(), tasks).await
    }

    async fn obstacles_by(
        &self,
        session: &mut dyn DbSession,
        questions: &[Question],
        tasks: &[&Task],
    ) -> Result<Obstacles, DatabaseError> {
        if questions.is_empty() {
            return Ok(Obstacles::new());
        }
        let rows = tasks.iter().filter_map(|task| Some((*task, self.written(task)?)));
        let (tasks, rows): (Vec<_>, Vec<_>) = rows.unzip();
        let mut found = Obstacles::new();
        // What is refused is asked again by parts, so that it hides nothing else.
        let mut left = vec![(questions, &tasks[..], &rows[..])];
        while let Some((questions, tasks, rows)) = left.pop() {
            if questions.is_empty() || rows.is_empty() {
                continue;
            }
            if let Some(obstacles) = self.ask(session, questions, rows).await? {
                for (at, obstacle) in obstacles {
                    let Some(task) = tasks.get(at) else { continue };
                    // Not its own row, which it leaves.
                    if task.from() != Some(&obstacle.what) {
                        found.entry(task.key.clone()).or_default().insert(obstacle);
                    }
                }
            } else if questions.len() > 1 {
                left.extend(questions.chunks(1).map(|question| (question, tasks, rows)));
            } else if rows.len() > 1 && self.ask(session, questions, &[]).await?.is_some() {
                // A value that is not of its column's type is refused here too; it waits for nobody.
                let half = tasks.len() / 2;
                left.push((questions, &tasks[..half], &rows[..half]));
                left.push((questions, &tasks[half..], &rows[half..]));
            }
        }
        Ok(found)
    }

    /// Asks these questions about rows, as one unit; `None` where the database refuses one.
    async fn ask(
        &self,
        session: &mut dyn DbSession,
        questions: &[Question],
        rows: &[RowTexts],
    ) -> Result<Option<Vec<(usize, Obstacle)>>, DatabaseError> {
        session.begin_unit().await?;
        let mut asked = Ok(Vec::new());
        for question in questions {
            let answer = self.sql.lookups.ask(session, question, rows).await;
            asked = match (asked, answer) {
                (Ok(mut obstacles), Ok(more)) => {
                    obstacles.extend(more);
                    Ok(obstacles)
                }
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
            if asked.is_err() {
                break;
            }
        }
        Ok(end_unit(session, asked).await?.ok())
    }
}
