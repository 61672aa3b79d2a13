//! From a destination as the config has it to the options of its mirror.

use deskbell_sync::{
    MappedDelete, MirrorOptions, OnDelete, SourceRule, Stale, StatementOptions, TableMapping,
};

use crate::config::{
    self, DestinationConfig, DestinationKind, Expressions, OnRowDelete, SourceConfig,
    StatementConfig, TableConfig,
};

/// The options of this destination's mirror; `None` where it is no database.
pub(crate) fn mirror_options(
    destination: &DestinationConfig,
    sources: &[SourceConfig],
) -> Option<MirrorOptions> {
    let DestinationKind::Database(database) = &destination.kind else { return None };
    let takes = |source: &&SourceConfig| {
        destination.sources.as_ref().is_none_or(|names| names.contains(&source.name))
    };
    let rules = sources.iter().filter(takes).map(|source| {
        (source.name.clone(), SourceRule { instance_id: source.instance_id.clone() })
    });
    let default = MirrorOptions::default();
    Some(MirrorOptions {
        destination: destination.name.clone(),
        url: database.url.with_password(),
        schema: database.schema.clone(),
        entities: database.entities.clone().unwrap_or(default.entities),
        exclude_columns: database.exclude_columns.clone().unwrap_or_default(),
        include_columns: database.include_columns.clone().unwrap_or_default(),
        on_delete: match database.on_delete {
            config::OnDelete::Delete => OnDelete::Delete,
            config::OnDelete::Mark => OnDelete::Mark,
        },
        auto_migrate: database.auto_migrate,
        mirror: database.mirror,
        tables: database.tables.iter().map(table).collect(),
        statements: database.statements.iter().map(statement_options).collect(),
        conflict_patience: database.conflict_patience.0,
        sources: rules.collect(),
        ..MirrorOptions::default()
    })
}

fn table(config: &TableConfig) -> TableMapping {
    TableMapping {
        entity: config.entity.clone(),
        into: config.into.clone(),
        key: pairs(&config.key),
        columns: pairs(&config.columns),
        on_delete: match &config.on_delete {
            OnRowDelete::Delete => MappedDelete::Delete,
            OnRowDelete::Keep => MappedDelete::Keep,
            OnRowDelete::Set(set) => MappedDelete::Set(pairs(set)),
        },
        declared_at: declared_at("table", config.line),
    }
}

/// The options of this statement.
pub(crate) fn statement_options(config: &StatementConfig) -> StatementOptions {
    StatementOptions {
        name: config.name.clone(),
        on: config.on.clone(),
        sql: config.sql.clone(),
        params: pairs(&config.params),
        when: config.when.clone(),
        stale: match config.stale {
            config::Stale::Skip => Stale::Skip,
            config::Stale::Run => Stale::Run,
        },
        declared_at: declared_at("statement", config.line),
    }
}

fn pairs(expressions: &Expressions) -> Vec<(String, String)> {
    expressions.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}

fn declared_at(section: &str, line: Option<usize>) -> String {
    let line = line.map(|line| format!(" in line {line} of the config"));
    format!("[[destination.{section}]]{}", line.unwrap_or_default())
}
