//! Whether a mirror can be what the config asks for, as far as that can be told without its database.

mod statement;
mod table;

use std::error::Error;

use deskbell_config::{Fault, Step};

use crate::config::DatabaseConfig;
use crate::db::Dialect;
use crate::mapping::Mappings;
use crate::mirror_target::check_schema_name;

impl DatabaseConfig {
    /// Whether its keys fit together: names, expressions, statements. A fault's path begins at the
    /// destination.
    ///
    /// # Errors
    /// The first fault; else warnings.
    pub fn validate(&self) -> Result<Vec<Fault>, Fault> {
        let mut warnings = Vec::new();
        if !self.mirror && self.tables.is_empty() && self.statements.is_empty() {
            let message = "this destination would do nothing";
            return Err(Fault::at(vec![Step::Key("mirror")], message).with_help(
                "without a mirror it needs a [[destination.table]] or a [[destination.statement]]",
            ));
        }
        for (number, name) in self.entities.iter().flatten().enumerate() {
            table::check_entity(name, vec![Step::Key("entities"), Step::Index(number)])?;
        }
        self.check_names()?;
        table::check(&self.tables, &mut warnings)?;
        statement::check(&self.statements, Dialect::of(&self.url), &mut warnings)?;
        Ok(warnings)
    }

    /// Whether the schema and the columns can be named so.
    fn check_names(&self) -> Result<(), Fault> {
        let fault = |key, error: &dyn Error| Fault::at(vec![Step::Key(key)], error.to_string());
        let Self { schema, exclude_columns, include_columns, .. } = self;
        check_schema_name(schema).map_err(|error| fault("schema", &error))?;
        Mappings::new(&[], &[], include_columns)
            .map_err(|error| fault("include_columns", &error))?;
        Mappings::new(&[], exclude_columns, include_columns)
            .map_err(|error| fault("exclude_columns", &error))?;
        Ok(())
    }
}
