//! `EventAttributes`: the request that caused an event.

use crate::payload::fields::{Extra, entity};

/// What is known of how an event came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventAttributes {
    /// The request that caused it.
    pub http_request: Option<HttpRequest>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(EventAttributes { http_request });

/// The request that caused an event.
///
/// Clerk writes an empty text for what is not known; here that is none. A `user_agent` of `clerk/clerk-sdk-go@…` means
/// that it was done in Clerk's dashboard or through the Backend API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The address that it came from, IPv4 or IPv6.
    pub client_ip: Option<String>,
    /// The program that sent it.
    pub user_agent: Option<String>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(HttpRequest, drop_empty_texts { client_ip, user_agent });
