//! Reading the config: the file, then the environment, then every check.

use std::fmt;
use std::path::{Path, PathBuf};

use deskbell_config::{ConfigError, ConfigFile, Environment, Fault, Node, ReadError, Span, Step};
use deskbell_server::{ServerConfig, SourceConfig};
use deskbell_store::StoreConfig;
use deskbell_sync::Line;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::alerts::AlertsConfig;
use super::check;
use super::default_mirror::{self, DefaultMirror};
use super::destination::{DestinationConfig, DestinationKind, DestinationType};
use super::endpoints::EndpointsConfig;
use super::mirror::MirrorConfig;
use super::sections::Config;

/// The file that is read where none is named and it is there.
pub const DEFAULT_FILE: &str = "deskbell.toml";

/// The file's sections. Destinations are read apart: which keys one has depends on its type.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sections {
    server: ServerConfig,
    store: StoreConfig,
    #[serde(rename = "source")]
    sources: Vec<SourceConfig>,
    mirror: MirrorConfig,
    alerts: AlertsConfig,
    endpoints: EndpointsConfig,
    #[serde(rename = "destination")]
    _destinations: IgnoredAny,
}

impl Default for Sections {
    fn default() -> Self {
        let Config { server, store, sources, mirror, alerts, endpoints, destinations: _ } =
            Config::default();
        Self { server, store, sources, mirror, alerts, endpoints, _destinations: IgnoredAny }
    }
}

/// A config that passed every check, and where it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The effective values.
    pub config: Config,
    /// The file that was read; `None` where the defaults hold.
    pub file: Option<PathBuf>,
    /// What is probably a mistake, but no error.
    pub warnings: Vec<String>,
    /// Which destinations were left out, and why: see [`Config::load_to_read`].
    pub left_out: Vec<String>,
    /// Whether there is no mirror because the config names neither a database nor `[mirror]`.
    pub lacks_mirror: bool,
}

impl Config {
    /// Reads the named file, or `deskbell.toml` where it is there, or takes the defaults; checks
    /// that all of it fits together; then fills in secrets from the environment.
    ///
    /// # Errors
    /// [`ConfigError`]: what is wrong, where, and how to fix it.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Loaded, ConfigError> {
        let mut loaded = Self::load_with(file, environment, Needs::All)?;
        loaded.warnings.extend(loaded.config.fill_in_secrets(environment)?);
        Ok(loaded)
    }

    /// As [`load`](Self::load), for a command that only reads: what the config takes from the
    /// environment or a file may be missing, and a destination that needs it is left out.
    ///
    /// # Errors
    /// As [`load`](Self::load), but for secrets.
    pub fn load_to_read(
        file: Option<&Path>,
        environment: &Environment,
    ) -> Result<Loaded, ConfigError> {
        Self::load_with(file, environment, Needs::Nothing)
    }

    /// As [`load`](Self::load), for a command that receives nothing: a source may lack its signing
    /// secrets.
    ///
    /// # Errors
    /// As [`load`](Self::load), but for the secrets.
    pub fn load_without_secrets(
        file: Option<&Path>,
        environment: &Environment,
    ) -> Result<Loaded, ConfigError> {
        Self::load_with(file, environment, Needs::Destinations)
    }

    /// As [`load`](Self::load), but for the secrets of destinations: one that needs what is missing
    /// is left out.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_to_check(
        file: Option<&Path>,
        environment: &Environment,
    ) -> Result<Loaded, ConfigError> {
        let mut loaded = Self::load_with(file, environment, Needs::Keys)?;
        loaded.warnings.extend(loaded.config.fill_in_secrets(environment)?);
        Ok(loaded)
    }

    fn load_with(
        file: Option<&Path>,
        environment: &Environment,
        needs: Needs,
    ) -> Result<Loaded, ConfigError> {
        let file = match file {
            Some(file) => Some(file.to_owned()),
            None => Some(PathBuf::from(DEFAULT_FILE)).filter(|file| file.exists()),
        };
        let is_lenient = matches!(needs, Needs::Keys | Needs::Nothing);
        let without = is_lenient.then_some(NOT_NEEDED);
        let (Read { mut config, left_out }, content) = match &file {
            Some(path) => ConfigFile::read(path, environment, without, Self::read)?,
            None => (Read::nothing(), ConfigFile::default()),
        };
        if let Some(directory) = file.as_deref().and_then(Path::parent) {
            config.server.resolve(directory);
        }
        config.note_lines(&content, &left_out);
        config.server.take_address(environment)?;
        config.endpoints.take_key(environment)?;
        let in_file = |fault: Fault| in_file(fault, &left_out);
        let locate = |fault| content.locate(in_file(fault));
        let types: Vec<_> = left_out.iter().map(|one| one.destination_type).collect();
        let DefaultMirror { is_missing: lacks_mirror, warning } =
            default_mirror::add_default(&mut config, &types).map_err(locate)?;
        let names: Vec<_> = left_out.iter().map(|one| &*one.name).collect();
        let mut warnings = check::check(&config, &names).map_err(locate)?;
        warnings.extend(warning);
        let warnings = warnings.into_iter().map(|warning| content.describe(&in_file(warning)));
        let mut warnings: Vec<_> = warnings.collect();
        // The environment has one key, and it cannot be of several instances.
        if let [source] = config.sources.as_mut_slice() {
            warnings.extend(source.take_secret_key(environment));
        }
        let needs_keys = matches!(needs, Needs::All | Needs::Keys);
        if needs_keys {
            warnings.extend(config.server.take_admin_token(environment)?);
        }
        for (index, source) in config.sources.iter_mut().enumerate() {
            warnings.extend(source.take_sender_url(environment));
            if needs_keys {
                let place = [Step::Key("source"), Step::Index(index)];
                source.check_secret_key().map_err(|fault| locate(fault.below(&place)))?;
            }
        }
        if needs_keys {
            check::check_refetch(&config).map_err(locate)?;
        }
        let left_out = left_out.iter().map(ToString::to_string).collect();
        Ok(Loaded { config, file, warnings, left_out, lacks_mirror })
    }

    fn read(root: Node<'_>) -> Result<Read, ReadError> {
        let Sections { server, store, sources, mirror, alerts, endpoints, _destinations } =
            Sections::deserialize(root)?;
        let (mut destinations, mut left_out) = (Vec::new(), Vec::new());
        if let Some(list) = root.get("destination") {
            for (index, node) in list.elements()?.enumerate() {
                match DestinationConfig::read(node) {
                    Ok(destination) => destinations.push(destination),
                    Err(error) => left_out.push(LeftOut::new(index, node, error)?),
                }
            }
        }
        let config = Self { server, store, sources, mirror, alerts, endpoints, destinations };
        Ok(Read { config, left_out })
    }

    /// Has each mapped table and statement know the line that it begins on.
    fn note_lines(&mut self, file: &ConfigFile, left_out: &[LeftOut]) {
        for (index, destination) in self.destinations.iter_mut().enumerate() {
            let DestinationKind::Database(database) = &mut destination.kind else { continue };
            let index = LeftOut::index_in_file(left_out, index);
            let at = [Step::Key("destination"), Step::Index(index)];
            let line = |list, number| {
                file.line(&[&at[..], &[Step::Key(list), Step::Index(number)]].concat())
            };
            for (number, table) in database.tables.iter_mut().enumerate() {
                table.line = Line(line("table", number));
            }
            for (number, statement) in database.statements.iter_mut().enumerate() {
                statement.line = Line(line("statement", number));
            }
        }
    }

    fn fill_in_secrets(&mut self, environment: &Environment) -> Result<Vec<String>, ConfigError> {
        let mut warnings = Vec::new();
        for source in &mut self.sources {
            warnings.extend(source.take_secrets(environment)?);
        }
        warnings.dedup();
        Ok(warnings)
    }
}

/// What has to be there of what the config takes from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    All,
    /// What destinations take, and nothing of the environment for sources.
    Destinations,
    /// The keys of Clerk's API alone.
    Keys,
    Nothing,
}

/// Secrets that a command which only reads does without.
const NOT_NEEDED: &[&str] = &["admin_token", "signing_secrets", "secret_key"];

/// A config as it was read: without the default mirror.
struct Read {
    config: Config,
    left_out: Vec<LeftOut>,
}

impl Read {
    /// Where there is no file.
    fn nothing() -> Self {
        let config = Config { destinations: Vec::new(), ..Config::default() };
        Self { config, left_out: Vec::new() }
    }
}

/// A destination that needs what is not there.
#[derive(Debug)]
struct LeftOut {
    /// Its index among the destinations of the file.
    index: usize,
    name: String,
    destination_type: DestinationType,
    reason: String,
}

/// The fault as the file has it, where some of its destinations were left out before the check.
fn in_file(mut fault: Fault, left_out: &[LeftOut]) -> Fault {
    if let Span::Path(path) | Span::Within(path, _) = &mut fault.span
        && let [Step::Key("destination"), Step::Index(index), ..] = path.as_mut_slice()
    {
        *index = LeftOut::index_in_file(left_out, *index);
    }
    fault
}

impl LeftOut {
    /// The index in the file of the destination that has this one among those that were not left out.
    fn index_in_file(left_out: &[Self], index: usize) -> usize {
        left_out.iter().fold(index, |index, one| index + usize::from(one.index <= index))
    }

    /// # Errors
    /// The destination's own error, where it is another, or nothing is left out.
    fn new(index: usize, node: Node<'_>, error: ReadError) -> Result<Self, ReadError> {
        let Some(reason) = error.missing().filter(|_| node.is_lenient()).map(str::to_owned) else {
            return Err(error);
        };
        let name = node.get("name").map(String::deserialize).transpose()?.unwrap_or_default();
        let Some(destination_type) = node.get("type") else { return Err(error) };
        let destination_type = DestinationType::deserialize(destination_type)?;
        Ok(Self { index, name, destination_type, reason })
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the destination `{}` is left out: {}", self.name, self.reason)
    }
}
