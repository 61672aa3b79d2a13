//! Comparing the application's tables and statements with its database as it is now.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::application::Application;
use super::open::Mirror;
use crate::db::{DatabaseError, DbSession};
use crate::mapped::{BoundTable, MappedTableProblem, PreparedStatement, RecordScope};
use crate::mapping::MappedTable;
use crate::mirror_target::{Part, PartKind};

impl Mirror {
    /// The application's tables and statements; those that fitted before, at least as they were.
    pub(super) async fn known_application(
        &self,
        session: &mut dyn DbSession,
    ) -> Result<Arc<Application>, DatabaseError> {
        let found = self.application(session).await?;
        let mut known = self.known.lock().await;
        let found = match &*known {
            Some(known) => found.or_as_known(known),
            None => found,
        };
        Ok(Arc::clone(known.insert(Arc::new(found))))
    }

    /// The application's tables and statements, checked against the database as it is now.
    pub(super) async fn application(
        &self,
        session: &mut dyn DbSession,
    ) -> Result<Application, DatabaseError> {
        let mut application = Application::default();
        self.bind_tables(session, &mut application).await?;
        let scope = self.scope();
        for statement in self.mappings.statements() {
            let target = PreparedStatement::new(session, scope, Arc::clone(statement)).await?;
            application.statement_names.push(statement.name.clone());
            let part = Part { kind: PartKind::Statement, name: statement.name.clone() };
            let target = application.fitting(target, part, &statement.declared_at);
            application.statements.push(target.map(Arc::new));
        }
        Ok(application)
    }

    async fn bind_tables(
        &self,
        session: &mut dyn DbSession,
        application: &mut Application,
    ) -> Result<(), DatabaseError> {
        let scope = self.scope();
        let (mut indexes, mut bound) = (Vec::new(), Vec::new());
        for (index, table) in self.mappings.tables().iter().enumerate() {
            let found = bind(session, scope, table).await?;
            let part = Part { kind: PartKind::Mapped, name: table.name.clone() };
            if let Some(target) = application.fitting(found, part, &table.declared_at) {
                indexes.push(index);
                bound.push(target);
            }
        }
        BoundTable::link(scope, &mut bound);
        let mut tables = vec![None; self.mappings.tables().len()];
        for (index, target) in indexes.into_iter().zip(bound) {
            tables[index] = Some(Arc::new(target));
        }
        application.set_tables(tables);
        Ok(())
    }

    fn scope(&self) -> RecordScope<'_> {
        let (schema, destination) = (self.schema.as_str(), self.destination.as_str());
        RecordScope { dialect: self.database.dialect(), schema, destination }
    }
}

async fn bind(
    session: &mut dyn DbSession,
    scope: RecordScope<'_>,
    table: &Arc<MappedTable>,
) -> Result<Result<BoundTable, MappedTableProblem>, DatabaseError> {
    let Some(live) = session.describe(&table.into).await? else {
        return Ok(Err(MappedTableProblem::NoTable { into: table.into.clone() }));
    };
    let mut parents = BTreeMap::new();
    for (_, lookup) in table.lookups() {
        if let Some(parent) = session.describe(&lookup.table).await? {
            parents.insert(lookup.table.clone(), parent);
        }
    }
    Ok(BoundTable::new(scope, Arc::clone(table), &live, &parents))
}
