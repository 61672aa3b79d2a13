//! `deskbell types`: the catalog.

use std::process::ExitCode;

use clerk_webhooks::catalog;

use super::{Context, exit};

pub(super) fn run(context: &Context) -> Result<ExitCode, exit::Failure> {
    if context.json {
        let types: Vec<_> = catalog::all()
            .iter()
            .map(|entry| {
                serde_json::json!({
                    "type": entry.event_type.as_str(),
                    "entity": entry.entity,
                    "description": entry.description,
                })
            })
            .collect();
        outln!("{:#}", serde_json::Value::Array(types));
    } else {
        for entry in catalog::all() {
            outln!("{:32} {}", entry.event_type.as_str(), entry.description);
        }
    }
    Ok(ExitCode::from(exit::DONE))
}
