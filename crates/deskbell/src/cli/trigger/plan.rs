//! What is sent: which events, how often and in which order.

use std::path::Path;

use deskbell_config::nearest;
use deskbell_devtools::scenario::{BUILTIN, Event, Round, Scenario, builtin, shuffle};
use deskbell_devtools::{entry, message_id, sample};
use deskbell_store::clock;
use miette::Diagnostic;

use super::arguments::Arguments;
use super::body::OwnBody;
use crate::cli::Context;
use crate::cli::editor::{self, EditError};
use crate::cli::exit::Failure;

/// A message that is ready to be signed and sent.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) event_type: String,
    pub(super) message_id: String,
    pub(super) body: Vec<u8>,
}

/// What is sent each time.
enum Content {
    /// Events that are new each time.
    Scenario(Scenario),
    /// The same body each time.
    Body(OwnBody),
}

pub(super) struct Plan<'a> {
    content: Content,
    arguments: &'a Arguments,
}

type Messages<'a> = Box<dyn Iterator<Item = Result<Message, Failure>> + 'a>;

#[derive(Debug, thiserror::Error, Diagnostic)]
enum BadPlan {
    #[error("unknown event type or scenario `{name}`")]
    Unknown {
        name: String,
        #[help]
        help: String,
    },
    #[error("{flag} is for one event, and {what} has several")]
    #[diagnostic(help("{help}"))]
    OneEventOnly { flag: &'static str, what: String, help: &'static str },
}

impl<'a> Plan<'a> {
    pub(super) fn of(arguments: &'a Arguments) -> Result<Self, Failure> {
        let (set, add) = (&arguments.assignments[..], arguments.add);
        let content = match (&arguments.what, &arguments.body) {
            (_, Some(body)) => Content::Body(OwnBody::read(body, set, add)?),
            (None, None) => unreachable!("clap asks for one of them"),
            (Some(what), None) => {
                let scenario = match named(what)? {
                    Some(scenario) => scenario,
                    None => Scenario::of_type(what, set, add),
                };
                if arguments.sample {
                    return Self::of_sample(arguments, what);
                }
                if scenario.step.len() > 1 {
                    refuse_flags_of_one_event(arguments, what)?;
                }
                Content::Scenario(scenario)
            }
        };
        Ok(Self { content, arguments })
    }

    /// The sample of a type, with the values that are set.
    fn of_sample(arguments: &'a Arguments, event_type: &str) -> Result<Self, Failure> {
        let mut event = sample(event_type).map_err(Failure::usage)?;
        event["timestamp"] = clock::now_ms().into();
        for assignment in &arguments.assignments {
            assignment.apply(&mut event, arguments.add).map_err(Failure::usage)?;
        }
        let (event_type, bytes) = (event_type.to_owned(), event.to_string().into_bytes());
        Ok(Self { content: Content::Body(OwnBody { event_type, bytes }), arguments })
    }

    /// Lets the caller change the body, which is the same each time from then on.
    pub(super) async fn edit(&mut self, context: &Context) -> Result<(), Failure> {
        const ORIGIN: &str = "the edited body";
        let body = match &self.content {
            Content::Body(body) => body.value(ORIGIN)?,
            Content::Scenario(scenario) => {
                let events = scenario.events(&self.round(0)).map_err(Failure::usage)?;
                events.into_iter().next().map_or(serde_json::Value::Null, |event| event.body)
            }
        };
        let bytes = body.to_string().into_bytes();
        let edited =
            editor::edit(&bytes, &context.environment).await.map_err(EditError::failure)?;
        let bytes = edited.unwrap_or(bytes);
        self.content = Content::Body(OwnBody::of_json(bytes, ORIGIN)?);
        Ok(())
    }

    /// The messages in the order of sending; each round is made when it is sent.
    pub(super) fn messages(&self) -> Result<Messages<'_>, Failure> {
        let arguments = self.arguments;
        let rounds = (0..arguments.count).flat_map(|number| self.messages_of(number));
        let copies = if arguments.duplicate { 2 } else { 1 };
        let messages = rounds.flat_map(move |message| match message {
            Ok(message) => vec![message; copies].into_iter().map(Ok).collect::<Vec<_>>(),
            Err(failure) => vec![Err(failure)],
        });
        if !arguments.shuffle {
            return Ok(Box::new(messages));
        }
        let mut messages = messages.collect::<Result<Vec<_>, _>>()?;
        shuffle(&mut messages, arguments.seed);
        Ok(Box::new(messages.into_iter().map(Ok)))
    }

    fn messages_of(&self, number: u32) -> Vec<Result<Message, Failure>> {
        let message_id = || self.arguments.id.clone().unwrap_or_else(message_id);
        match &self.content {
            Content::Body(OwnBody { event_type, bytes }) => {
                let (event_type, body) = (event_type.clone(), bytes.clone());
                vec![Ok(Message { event_type, message_id: message_id(), body })]
            }
            Content::Scenario(scenario) => match scenario.events(&self.round(number)) {
                Ok(events) => events
                    .into_iter()
                    .map(|Event { event_type, body, .. }| {
                        let body = body.to_string().into_bytes();
                        Ok(Message { event_type, message_id: message_id(), body })
                    })
                    .collect(),
                Err(error) => vec![Err(Failure::usage(error))],
            },
        }
    }

    fn round(&self, number: u32) -> Round {
        Round { seed: self.arguments.seed, number: number.into(), now_ms: clock::now_ms() }
    }
}

/// The scenario of this name or file; `None` where it is an event type.
fn named(what: &str) -> Result<Option<Scenario>, Failure> {
    let path = Path::new(what);
    let is_file = what.contains(['/', '\\'])
        || path.extension().is_some_and(|extension| extension == "toml" || extension == "json");
    if is_file {
        return Scenario::read(path).map(Some).map_err(Failure::usage);
    }
    if let Some(scenario) = builtin(what) {
        return Ok(Some(scenario));
    }
    match entry(what) {
        Ok(_) => Ok(None),
        Err(error) => {
            let names: Vec<_> = BUILTIN.iter().map(|known| known.name).collect();
            let near = nearest::one(what, &names).filter(|_| !what.contains('.'));
            let help = match near {
                Some(near) => {
                    format!("did you mean {near}? The scenarios are {}", names.join(", "))
                }
                None => format!(
                    "{}; the scenarios are {}",
                    error.help().map_or_else(String::new, |help| help.to_string()),
                    names.join(", ")
                ),
            };
            Err(Failure::usage(BadPlan::Unknown { name: what.to_owned(), help }))
        }
    }
}

/// Refuses flags that would mean something else for each event.
fn refuse_flags_of_one_event(arguments: &Arguments, what: &str) -> Result<(), Failure> {
    let refused = |flag, help| {
        let what = format!("`{what}`");
        Err(Failure::usage(BadPlan::OneEventOnly { flag, what, help }))
    };
    if !arguments.assignments.is_empty() {
        return refused("--set", "write `set` into the steps of a scenario file: docs/trigger.md");
    }
    if arguments.id.is_some() {
        return refused("--id", "use --seed to repeat the same people and ids");
    }
    if arguments.edit {
        return refused("--edit", "write a scenario file: docs/trigger.md");
    }
    Ok(())
}
