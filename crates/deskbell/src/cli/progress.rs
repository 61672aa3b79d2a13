//! Progress bars: on stderr, and only on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Context;

/// How often the bar is drawn while nothing moves.
const TICK_INTERVAL: Duration = Duration::from_millis(100);

pub(super) fn bar(length: usize, template: &str, context: &Context) -> ProgressBar {
    if context.json {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(length as u64).with_style(style);
    bar.enable_steady_tick(TICK_INTERVAL);
    bar
}

/// A sign that something goes on, without a length.
pub(super) fn spinner(template: &str, context: &Context) -> ProgressBar {
    let bar = bar(0, template, context);
    bar.unset_length();
    bar
}
