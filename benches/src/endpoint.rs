//! The endpoint under load: its path and its secret.

pub(crate) const PATH: &str = "/api/webhooks";
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
