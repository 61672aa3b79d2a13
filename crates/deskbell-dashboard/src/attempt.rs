//! An attempt at a delivery: how it ended, and what was replied.

use deskbell_admin::{AttemptResult, AttemptView};
use maud::{Markup, html};

use crate::badge::{self, Tone, badge};
use crate::number;
use crate::time;

pub(crate) fn details(attempt: &AttemptView) -> Markup {
    html! {
        details.attempt {
            summary {
                span { "Attempt " (attempt.number) }
                (result(attempt))
                span.muted { (time::moment(attempt.started_at)) ", took " (number::count(attempt.took_ms)) " ms" }
            }
            div {
                @if let Some(error) = &attempt.error { p { (error) } }
                @if let Some(reply) = &attempt.reply {
                    p.muted {
                        "Reply, " (number::bytes(attempt.reply_bytes))
                        @if attempt.reply_bytes > reply.len() { ", of which the first " (number::bytes(reply.len())) " are kept" }
                        ":"
                    }
                    pre.scroll tabindex="0" { (reply) }
                } @else if attempt.reply_bytes > 0 {
                    p.muted { "The reply has " (number::bytes(attempt.reply_bytes)) "." }
                }
                p.muted { code { (attempt.id) } }
            }
        }
    }
}

pub(crate) fn result(attempt: &AttemptView) -> Markup {
    html! {
        @match (attempt.status, attempt.result) {
            (Some(status), _) => { (badge::status(status)) }
            (None, AttemptResult::Delivered) => { (badge(Tone::Good, "delivered")) }
            (None, AttemptResult::Failed) => { (badge(Tone::Bad, "failed")) }
        }
    }
}
