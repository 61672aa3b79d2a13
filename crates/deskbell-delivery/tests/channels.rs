//! Channels that tell people: email, Slack and Loops, against servers on this machine.

mod email_content;
mod loops;
mod proxy;
mod resend;
mod slack;
mod smtp;
mod smtp_flood;
mod support;
