//! Expressions over events, in [CEL](https://cel.dev): the columns of mapped tables and the
//! conditions of deliveries.
//!
//! ```
//! use deskbell_expr::{Condition, EventParts, EventView, Expression, Value};
//!
//! let body = br#"{"type": "user.created", "data": {
//!     "id": "user_2a", "first_name": "Mira", "last_name": null, "primary_email_address_id": "idn_2",
//!     "email_addresses": [{"id": "idn_1", "email_address": "old@example.com"},
//!                         {"id": "idn_2", "email_address": "mira@example.com"}]}}"#;
//! let parts = EventParts {
//!     id: "msg_1",
//!     event_type: "user.created",
//!     source: "clerk",
//!     subject: Some("user_2a"),
//!     occurred_at_ms: 1_716_883_200_000,
//!     instance_id: None,
//! };
//! let view = EventView::of_body(parts, body);
//!
//! let email = Expression::compile("user.primary_email_address")?;
//! assert!(email.evaluate(&view)? == Value::Text("mira@example.com".to_owned()));
//!
//! let paying = Expression::compile("data.public_metadata.plan == 'pro'")?;
//! let missing = Some("data.public_metadata.plan".to_owned());
//! assert_eq!(paying.holds(&view)?, Condition::False { missing });
//!
//! let error = Expression::compile("usr.id").unwrap_err();
//! assert_eq!(error.to_string(), "unknown name `usr` at column 1, did you mean `user`?");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Roots
//!
//! Every event has `id` (of the message), `type`, `source`, `subject`, `occurred_at` (ISO-8601 in UTC
//! with milliseconds, so that `timestamp(occurred_at)` works), `instance_id`, `data`, and
//! `event_attributes`: the request that caused it, as `event_attributes.http_request.client_ip` and
//! `.user_agent`, where Clerk names one. Then the entity that the event is about, under its own name,
//! which is `data` with computed members; on an event of another entity it is missing:
//!
//! | root | of the events | computed members |
//! | --- | --- | --- |
//! | `user` | `user.*` | `primary_email_address` (also `primary_email`), `primary_phone_number`, `primary_web3_wallet`, `full_name` |
//! | `membership` | `organizationMembership.*` | `organization_id`, `user_id`, and others below |
//! | `subscription`, `subscription_item`, `payment_attempt` | the same | `payer_user_id`, `payer_organization_id`, `plan_id`, `plan_slug`, `subscription_id`, and others below |
//! | `domain` | `organizationDomain.*` | `organization_id`, and others below |
//! | `invitation` | `organizationInvitation.*`, `invitation.*` | of the former `organization_id`, `inviter_id` |
//! | `session` | `session.*` | `user_id`, and others below |
//! | `waitlist_entry` | `waitlistEntry.*` | `invitation_id` |
//! | `organization`, `role`, `permission`, `email`, `sms` | the same | |
//!
//! What the mirror has as a column of the entity's table is there under the same name too, such as
//! `membership.organization_name`, `session.device_type` and `payment_attempt.last4`.
//!
//! The primary address is the list's element that `primary_email_address_id` names; where the payload has
//! no such member, the [first verified one](clerk_webhooks::payload::primary). An empty id is missing. A
//! deleted event has the same root, with the little that it has. A computed member that comes to
//! nothing is missing.
//!
//! The fields of an entity's root are those that Clerk's payloads are known to have, in objects and
//! lists below it too, and the computed ones: another one is refused at compiling, since most often it
//! is misspelt. A path under `data` may be any; [`Expression::unknown_paths`] gives those that no sample
//! and no description has. Below metadata any name will do.
//!
//! # What is missing
//!
//! 1. A member or element that is not there is null, at any depth: `data.a.b == 'x'` is false and
//!    `data.a.b == null` is true where there is no `a`. So is a member of what has no members.
//! 2. `has(data.a.b)` is whether the member is there; it may be null.
//! 3. What cannot be done with null (`data.a + 'x'`, `data.a > 1`, `data.a.startsWith('x')`, `!data.a`)
//!    is null, and with it the whole expression. As in CEL, `||` and `&&` go over it where the other
//!    side decides, and only the taken side of `? :` counts.
//! 4. A condition that is null does not hold.
//!
//! # Types
//!
//! Whole numbers are exact to 64 bits. As in CEL, `1 + 1.0` fails while `1 == 1.0` is true, and
//! `timestamp(number)` takes seconds, where Clerk writes milliseconds: `timestamp(user.created_at / 1000)`.
//! A list or a map comes out as JSON, a timestamp as a time; bytes and durations cannot be stored.
//! Loops go through a map's keys in order. The pattern of `matches` must be written as a text.
//! There are no messages and no optional values.
//!
//! # Limits
//!
//! [`EXPRESSION_BYTES_MAX`], [`EXPRESSION_DEPTH_MAX`] and [`PATTERN_BYTES_MAX`] at compiling,
//! [`EVALUATION_WORK_MAX`] at evaluating. A panic in the evaluator is caught and becomes an error.

mod check;
mod compile;
mod computed;
mod convert;
mod error;
pub mod event_types;
mod expression;
mod failure;
mod form;
mod functions;
pub mod in_config;
pub mod json;
mod meter;
mod path;
mod pattern;
pub mod reference;
mod resolver;
mod roots;
mod unknown;
mod value;
mod view;

pub use check::{Checked, on_sample};
pub use compile::{EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX};
pub use error::{EvaluationError, EvaluationErrorKind, ExpressionError};
pub use expression::Expression;
pub use meter::EVALUATION_WORK_MAX;
pub use pattern::PATTERN_BYTES_MAX;
pub use roots::{ROOTS, nearest_root};
pub use unknown::{CheckedPath, TypedField, UnknownPath, check_path};
pub use value::{Condition, Kind, Value};
pub use view::{EventParts, EventView};
