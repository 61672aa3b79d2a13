//! What a handler on this machine sees.

use clerk_webhooks::{Secret, Verifier, VerifyError};
use deskbell_sim::receiver::Received;

use super::super::support::now;

/// What `listen` signs with.
pub(super) const LOCAL_SECRET: &str = "whsec_bG9jYWwtc2VjcmV0LW9mLXRoaXMtbWFjaGluZQ==";

/// Verifies the request as the handler would.
pub(super) fn verified(request: &Received) -> Result<(), VerifyError> {
    let verifier = Verifier::new(Secret::parse(LOCAL_SECRET).unwrap());
    verifier.verify(&request.headers, &request.body, now()).map(drop)
}
