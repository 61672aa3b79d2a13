//! The mirror that is there where no database is named.

use std::error::Error;
use std::{iter, panic, thread};

use deskbell_config::{DatabaseUrl, Fault, Span, Step};
use deskbell_sync::DatabaseConfig;
use deskbell_sync::inspect::MirrorReader;

use super::destination::{DestinationConfig, DestinationType};
use super::sections::Config;

/// What became of the default mirror.
#[derive(Debug, Default)]
pub(super) struct DefaultMirror {
    /// There is none, and the config does not say that there should be none.
    pub(super) is_missing: bool,
    pub(super) warning: Option<Fault>,
}

/// Adds the default mirror to the destinations, if there is to be one, and notes that in the config.
/// `left_out` are the types of the destinations that the file has and the config has not.
pub(super) fn add_default(
    config: &mut Config,
    left_out: &[DestinationType],
) -> Result<DefaultMirror, Fault> {
    let types = config.destinations.iter().map(|one| one.kind.destination_type());
    let types: Vec<_> = types.chain(left_out.iter().copied()).collect();
    let mut outcome = DefaultMirror::default();
    if types.contains(&DestinationType::Database) {
        return Ok(outcome);
    }
    let mirror = DestinationConfig::default();
    let enabled = match config.mirror.enabled {
        Some(enabled) => enabled,
        None if types.is_empty() => true,
        None => {
            let exists = exists(&mirror.name).unwrap_or_else(|reason| {
                outcome.warning = Some(cannot_tell(&*reason));
                true
            });
            outcome.is_missing = !exists;
            exists
        }
    };
    config.mirror.enabled = Some(enabled);
    if enabled {
        check_name(&mirror.name, config)?;
        config.destinations.push(mirror);
    }
    Ok(outcome)
}

/// Whether the default mirror has ever been kept: its file has the checkpoint of this name. The file
/// is neither made nor changed.
fn exists(name: &str) -> Result<bool, Box<dyn Error + Send + Sync>> {
    let DatabaseConfig { url, schema, .. } = DatabaseConfig::default();
    if let DatabaseUrl::Sqlite(file) = &url
        && !file.path().try_exists()?
    {
        return Ok(false);
    }
    let read = async {
        let reader = MirrorReader::open_schema(&url, &schema).await?;
        Ok(reader.destinations().await?.contains(name))
    };
    // The config is read inside runtimes too, where none can be waited for.
    let on_its_own =
        || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(read);
    let joined = thread::scope(|scope| scope.spawn(on_its_own).join());
    joined.unwrap_or_else(|panicked| panic::resume_unwind(panicked))
}

/// A mirror that is there must not vanish because its file cannot be read just now.
fn cannot_tell(reason: &(dyn Error + 'static)) -> Fault {
    let causes = iter::successors(Some(reason), |&error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    let DatabaseConfig { url, .. } = DatabaseConfig::default();
    Fault {
        message: format!(
            "{url} is taken for the mirror, but cannot be read: {}",
            causes.join(": ")
        ),
        help: Some("set `enabled` in [mirror]".to_owned()),
        span: Span::Nowhere,
    }
}

/// Whether no other destination has the name under which the default mirror keeps its checkpoint.
fn check_name(name: &str, config: &Config) -> Result<(), Fault> {
    let Some(index) = config.destinations.iter().position(|one| one.name == name) else {
        return Ok(());
    };
    let at = vec![Step::Key("destination"), Step::Index(index), Step::Key("name")];
    Err(Fault::at(at, format!("`{name}` is the name of the default mirror"))
        .with_help("give this destination another name, or write enabled = false in [mirror]"))
}
