//! Why a captured request is not accepted: which rule it breaks, and by what known mistake.

mod bodies;
mod capture;
mod captured;
mod causes;
mod curl;
pub(crate) mod json_text;
mod keys;
mod receiver;
mod search;

pub use self::capture::CaptureError;
pub use self::captured::Captured;
pub use self::causes::{Cause, CauseCode};
pub use self::keys::NamedSecret;
pub use self::receiver::Receiver;

use std::time::{Duration, UNIX_EPOCH};

use clerk_webhooks::{NoSecret, Verifier, VerifyError};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The message's id, where a header has it.
    pub message_id: Option<String>,
    /// The secret that the signature is of, by its name.
    pub secret: Option<String>,
    /// The rule that is broken first; `None` where the request is valid.
    pub rule: Option<VerifyError>,
    /// What explains it; several where only all of them together do. Empty where nothing known does.
    pub causes: Vec<Cause>,
}

/// Verifies the request as Deskbell would, and looks for what explains a refusal.
///
/// # Errors
/// There is no secret to verify it with.
pub fn diagnose(captured: &Captured, receiver: &Receiver<'_>) -> Result<Diagnosis, NoSecret> {
    let own = &receiver.secrets[..receiver.own];
    let verifier = Verifier::builder()
        .secrets(own.iter().map(|named| &named.secret))
        .tolerance(receiver.tolerance)
        .build()?;
    let now = UNIX_EPOCH + Duration::from_secs(receiver.now_seconds);
    let message_id = captured.message_id();
    Ok(match verifier.verify(&captured.header_map(), &captured.body, now) {
        Ok(verified) => Diagnosis {
            message_id,
            secret: own.get(verified.secret_index()).map(|named| named.name.clone()),
            rule: None,
            causes: Vec::new(),
        },
        Err(rule) => {
            let found = search::explain(captured, receiver, &rule);
            Diagnosis { message_id, secret: found.secret, rule: Some(rule), causes: found.causes }
        }
    })
}

#[cfg(test)]
mod tests;
