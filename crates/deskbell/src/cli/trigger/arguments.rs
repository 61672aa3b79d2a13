//! The flags of `deskbell trigger`.

use clap::Args;
use deskbell_devtools::Assignment;
use url::Url;

use crate::cli::flag_values;

const EXAMPLES: &str = "\
Scenarios, each of linked events with consistent ids:
  sign-up        a person signs up and is signed in
  organization   a person signs up and creates an organization
  membership     an organization invites a person, who joins and becomes an admin
  subscription   a person signs up, subscribes to a plan and pays
  delete-user    a person with an organization is deleted

Every event is about somebody new: other ids, another name and email address, times of now. With
--seed it is always the same person. docs/trigger.md describes scenario files.

Examples:
  deskbell trigger user.created --set data.first_name=Ada
  deskbell trigger user.created --seed 7
  deskbell trigger user.deleted --seed 7
  deskbell trigger membership --shuffle --duplicate
  deskbell trigger ./onboarding.toml --count 100 --rate 20
  deskbell trigger --body @captured.json --url http://localhost:3000/api/webhooks --secret whsec_…";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// Event type, for example user.created (`deskbell types` lists them); the name of a scenario; or
    /// a scenario file, ./scenario.toml.
    #[arg(value_name = "TYPE|SCENARIO|FILE", required_unless_present = "body")]
    pub(super) what: Option<String>,
    /// Set a value in the sample: data.first_name=Ada. Valid JSON is set as JSON, anything else as text.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(super) assignments: Vec<Assignment>,
    /// Allow --set to add paths that the sample lacks.
    #[arg(long)]
    pub(super) add: bool,
    /// Send this body, JSON or @FILE, instead of a sample; @- is standard input. Without --set and
    /// --edit its bytes are sent as they are.
    #[arg(long, value_name = "JSON|@FILE", conflicts_with_all = ["what", "seed"])]
    pub(super) body: Option<String>,
    /// Open $VISUAL or $EDITOR on the body before it is sent.
    #[arg(long)]
    pub(super) edit: bool,
    /// Message id (svix-id) [default: a new one for each event].
    #[arg(long)]
    pub(super) id: Option<String>,
    /// Make the same people and ids each time [default: new ones for each event or scenario].
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Send the catalog's sample with its own people and ids, the same each time; only its time is now.
    #[arg(long, conflicts_with_all = ["seed", "body"])]
    pub(super) sample: bool,
    /// Number of times to send it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) count: u32,
    /// Send at most this many events per second.
    #[arg(long, value_name = "R", value_parser = flag_values::number)]
    pub(super) rate: Option<f64>,
    /// Send the events out of order.
    #[arg(long)]
    pub(super) shuffle: bool,
    /// Send each event twice, with the same id.
    #[arg(long)]
    pub(super) duplicate: bool,
    /// URL to send it to [default: the first source of the local server].
    #[arg(long)]
    pub(super) url: Option<Url>,
    /// Signing secret [default: that of the first source, or CLERK_WEBHOOK_SIGNING_SECRET].
    #[arg(long, value_name = "SECRET")]
    pub(super) secret: Option<String>,
}
