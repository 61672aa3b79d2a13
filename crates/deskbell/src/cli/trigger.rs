//! `deskbell trigger`: signed events, sent to a server: of one type, of a scenario, or a body of one's own.

mod arguments;
mod body;
mod plan;
pub(super) mod send;
mod target;

use std::process::ExitCode;

use deskbell_devtools::Client;

pub(super) use self::arguments::Arguments;
use self::plan::Plan;
use self::send::Sending;
pub(super) use self::target::{local, secret_or_configured};
use super::{Context, exit};
use crate::signals::Signals;

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let mut plan = Plan::of(&arguments)?;
    let client = target::client(arguments.url.as_ref(), arguments.secret.as_deref(), context)?;
    if arguments.edit {
        plan.edit(context).await?;
        let mut signals = Signals::listen().map_err(exit::Failure::failed)?;
        return tokio::select! {
            ended = send(&plan, &client, &arguments, context) => ended,
            () = signals.next() => Ok(ExitCode::from(exit::FAILED)),
        };
    }
    send(&plan, &client, &arguments, context).await
}

async fn send(
    plan: &Plan<'_>,
    client: &Client,
    arguments: &Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let mut sending = Sending::new(client, arguments.rate, context.json);
    for message in plan.messages()? {
        sending.send(&message?).await?;
    }
    Ok(sending.finish())
}
