//! The gauges of silence.

use metrics::{Unit, describe_gauge, gauge};

/// Seconds since the newest event, by `source`.
const SILENCE_SECONDS: &str = "deskbell_source_silence_seconds";
/// 1 while the silence is alarmed, by `source`.
const SILENT: &str = "deskbell_source_silent";

/// The gauges of these sources. They are 0 when this is dropped: of several processes one judges, and
/// the sum over all of them is the source's.
#[derive(Debug)]
pub struct SilenceGauges(Vec<String>);

impl SilenceGauges {
    #[must_use]
    pub fn new(sources: Vec<String>) -> Self {
        describe_gauge!(SILENCE_SECONDS, Unit::Seconds, "Time since the newest event, by source");
        describe_gauge!(SILENT, Unit::Count, "1 while the silence of the source is alarmed");
        let gauges = Self(sources);
        gauges.clear();
        gauges
    }

    pub fn set(source: &str, silence_ms: i64, is_alarmed: bool) {
        gauge!(SILENCE_SECONDS, "source" => source.to_owned()).set(seconds(silence_ms));
        gauge!(SILENT, "source" => source.to_owned()).set(f64::from(u8::from(is_alarmed)));
    }

    fn clear(&self) {
        for source in &self.0 {
            Self::set(source, 0, false);
        }
    }
}

impl Drop for SilenceGauges {
    fn drop(&mut self) {
        self.clear();
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn seconds(ms: i64) -> f64 {
    (ms / 1_000) as f64
}
