//! Requests made and signed before the clock starts.

use bytes::Bytes;
use clerk_webhooks::{CannotSign, HeaderFamily, Secret, Signer};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::clock;
use crate::world::message_id;

/// Message ids are spread over time as if so many messages came each millisecond.
const MESSAGES_PER_MS: usize = 20;

/// Where requests go, and how they are signed.
#[derive(Debug, Clone)]
pub struct Target {
    /// The `Host` header.
    pub host: String,
    /// The path of the webhook route.
    pub path: String,
    /// The secret that the server verifies with.
    pub secret: Secret,
    /// Message ids come of it: another seed makes other ids.
    pub seed: u64,
    pub ids: IdOrder,
}

/// In which order message ids come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdOrder {
    /// Later ones are greater, as Svix makes them.
    Time,
    /// None: each falls anywhere among those before it.
    Random,
}

/// A request as it goes over the wire. Bodies are shared between requests, heads are not.
#[derive(Debug, Clone)]
pub struct PreparedRequest {
    pub(crate) head: Box<[u8]>,
    pub(crate) body: Bytes,
}

/// Makes so many signed requests, each with a message id of its own, over the bodies in rotation.
///
/// Signatures contain the time of this call: the requests are good for as long as the server's tolerance.
///
/// # Errors
/// [`CannotSign`], where the secret is a public key.
pub fn prepare(
    target: &Target,
    bodies: &[Bytes],
    count: usize,
) -> Result<Vec<PreparedRequest>, CannotSign> {
    let signer = Signer::new(&target.secret)?;
    let now_seconds = clock::unix_seconds();
    let now_ms = i64::try_from(now_seconds).unwrap_or(0).saturating_mul(1000);
    let mut rng = ChaCha8Rng::seed_from_u64(target.seed);
    let in_turn = bodies.iter().cycle().take(count).enumerate();
    Ok(in_turn
        .map(|(index, body)| {
            let behind_ms = i64::try_from(index / MESSAGES_PER_MS).unwrap_or(0);
            let at_ms = match target.ids {
                IdOrder::Time => now_ms + behind_ms,
                IdOrder::Random => rng.random_range(0..now_ms.max(1)),
            };
            let id = message_id(at_ms, &mut rng);
            let signed = signer.sign(&id, now_seconds, body);
            let mut head = format!(
                "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nuser-agent: Svix-Webhooks/1.0\r\n\
                 accept: */*\r\ncontent-length: {}\r\n",
                target.path,
                target.host,
                body.len()
            );
            for (name, value) in signed.iter(HeaderFamily::Svix) {
                for part in [name, ": ", value, "\r\n"] {
                    head.push_str(part);
                }
            }
            head.push_str("\r\n");
            PreparedRequest { head: head.into_bytes().into(), body: body.clone() }
        })
        .collect())
}
