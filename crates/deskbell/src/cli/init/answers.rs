//! What flags and answers come to.

use std::path::Path;

use deskbell_config::{DatabaseUrl, Environment};
use deskbell_sync::draft::{self, TableDraft};

use super::super::exit;
use super::error::Error;
use super::prompt::Prompt;
use crate::init::{Choices, Compose, DATABASE_VARIABLE, Location};

const MIRROR_FILE: &str = "sqlite://clerk.db";
const STORE_FILE: &str = "sqlite://deskbell.db";

/// What the flags say.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// Where the config goes, and Deskbell runs.
    pub(super) dir: &'a Path,
    pub(super) database: Option<&'a str>,
    pub(super) store: Option<&'a str>,
    pub(super) table: Option<&'a str>,
    pub(super) set: &'a [String],
    pub(super) no_mirror: bool,
    pub(super) compose: bool,
    pub(super) systemd: bool,
}

/// The choices that every run makes files for.
pub(super) fn least() -> Choices {
    let sqlite = |file: &str| Location::Url(DatabaseUrl::sqlite(file.as_ref()));
    Choices {
        database: sqlite("clerk.db"),
        store: sqlite("deskbell.db"),
        table: None,
        mirror: true,
        compose: None,
        systemd: false,
    }
}

pub(super) async fn choices(
    asked: &Asked<'_>,
    environment: &Environment,
    prompt: &Prompt,
) -> Result<Choices, exit::Failure> {
    let compose = asked.compose
        || prompt
            .confirm("Write compose.yaml, for Docker?", false)
            .map_err(exit::Failure::usage)?;
    // A table of yours is in a database of yours.
    let with_postgres = compose && asked.database.is_none() && asked.table.is_none();
    let database =
        database(asked, with_postgres, environment, prompt).map_err(exit::Failure::usage)?;
    let default_store = if with_postgres { "env:DATABASE_URL" } else { STORE_FILE };
    let store =
        location("--store", asked.store.unwrap_or(default_store)).map_err(exit::Failure::usage)?;
    let table =
        if with_postgres { None } else { table(asked, &database, environment, prompt).await? };
    let mirror = match &table {
        Some(_) if !asked.no_mirror => prompt
            .confirm("Keep a mirror of Clerk's data beside your table?", true)
            .map_err(exit::Failure::usage)?,
        Some(_) => false,
        None => true,
    };
    let systemd = asked.systemd
        || prompt.confirm("Write a systemd unit?", false).map_err(exit::Failure::usage)?;
    let compose = compose.then_some(match with_postgres {
        true => Compose::WithPostgres,
        false => Compose::Deskbell,
    });
    Ok(Choices { database, store, table, mirror, compose, systemd })
}

/// The same file, wherever Deskbell runs: a file is named from where `init` runs.
fn seen_from(dir: &Path, location: Location) -> Location {
    let is_elsewhere = !dir.as_os_str().is_empty() && dir != Path::new(".");
    match &location {
        Location::Url(DatabaseUrl::Sqlite(url)) if is_elsewhere && url.path().is_relative() => {
            let absolute = std::path::absolute(url.path());
            absolute.map_or(location, |path| Location::Url(DatabaseUrl::sqlite(&path)))
        }
        _ => location,
    }
}

fn location(what: &'static str, text: &str) -> Result<Location, Error> {
    text.parse().map_err(|fault| Error::Location { what, fault })
}

fn database(
    asked: &Asked<'_>,
    with_postgres: bool,
    environment: &Environment,
    prompt: &Prompt,
) -> Result<Location, Error> {
    if let Some(text) = asked.database {
        return location("--database", text).map(|location| seen_from(asked.dir, location));
    }
    let variable = Location::Variable(DATABASE_VARIABLE.to_owned());
    if with_postgres {
        return Ok(variable);
    }
    // An application's own variable may be for another kind of database.
    let is_usable = matches!(variable.url(environment), Ok(Some(_)));
    let default = if is_usable { "env:DATABASE_URL" } else { MIRROR_FILE };
    let question = "Database (sqlite://FILE, postgres://… or env:NAME)";
    loop {
        let answer = prompt.ask(question, default)?;
        let text = answer.as_deref().unwrap_or(default);
        match location("the database", text) {
            Err(error) if answer.is_some() => prompt.say(&error.to_string()),
            Ok(location) if answer.is_some() => return Ok(seen_from(asked.dir, location)),
            other => return other,
        }
    }
}

/// The database's URL; `None` if its variable is not set.
pub(super) fn url(
    location: &Location,
    environment: &Environment,
) -> Result<Option<DatabaseUrl>, exit::Failure> {
    let what = "the database's variable";
    let url = location.url(environment).map_err(|fault| Error::Location { what, fault });
    url.map_err(exit::Failure::usage)
}

async fn table(
    asked: &Asked<'_>,
    database: &Location,
    environment: &Environment,
    prompt: &Prompt,
) -> Result<Option<TableDraft>, exit::Failure> {
    let name = match asked.table {
        Some(name) => name.to_owned(),
        None => match table_asked_for(database, environment, prompt).await? {
            Some(name) if !name.is_empty() => name,
            _ => return Ok(None),
        },
    };
    let Some(url) = url(database, environment)? else {
        let name = database.variable(DATABASE_VARIABLE).unwrap_or_default().to_owned();
        return Err(exit::Failure::usage(Error::NotSet { name }));
    };
    let mut given = given(asked.set).map_err(exit::Failure::usage)?;
    let draft = draft_of(&url, &name, &given).await?;
    for column in &draft.unfilled {
        prompt.say(&format!("{} {}.", column.column, column.reason()));
        let question = format!("Expression for {} of new rows, or nothing", column.column);
        match prompt.ask(&question, "").map_err(exit::Failure::usage)? {
            Some(value) if !value.is_empty() => given.push((column.column.clone(), value)),
            _ => {}
        }
    }
    draft_of(&url, &name, &given).await.map(Some)
}

/// The name of the table, where somebody is asked and the database can be read.
async fn table_asked_for(
    database: &Location,
    environment: &Environment,
    prompt: &Prompt,
) -> Result<Option<String>, exit::Failure> {
    let Ok(Some(url)) = database.url(environment) else { return Ok(None) };
    if !prompt.is_interactive() {
        return Ok(None);
    }
    let Ok(tables) = draft::list_tables(&url).await else { return Ok(None) };
    if tables.is_empty() {
        return Ok(None);
    }
    prompt.say(&format!("Tables there: {}", tables.join(", ")));
    let question = "Your table that users go into, or nothing";
    prompt.ask(question, "").map_err(exit::Failure::usage)
}

async fn draft_of(
    url: &DatabaseUrl,
    table: &str,
    given: &[(String, String)],
) -> Result<TableDraft, exit::Failure> {
    let failed = |source| Error::Draft { table: table.to_owned(), source };
    draft::draft_users(url, table, given)
        .await
        .map_err(failed)
        .map_err(exit::Failure::failed_with_help)
}

fn given(set: &[String]) -> Result<Vec<(String, String)>, Error> {
    let assignment = |given: &String| {
        let (column, value) =
            given.split_once('=').filter(|(column, _)| !column.trim().is_empty())?;
        Some((column.trim().to_owned(), value.trim().to_owned()))
    };
    let read = |given: &String| {
        assignment(given).ok_or_else(|| Error::Assignment { given: given.clone() })
    };
    set.iter().map(read).collect()
}
