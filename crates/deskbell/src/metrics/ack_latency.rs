//! The latency of acknowledgements, from the histogram that `/metrics` shows.

use std::collections::BTreeMap;

const BUCKET: &str = "deskbell_ingest_duration_seconds_bucket{";

/// The median and the 99th percentile over all sources, in milliseconds.
pub(super) fn read(metrics: &str) -> Option<(f64, f64)> {
    // Upper bounds in nanoseconds, so that they can be ordered; those without one are the greatest.
    let mut counts: BTreeMap<u64, f64> = BTreeMap::new();
    for line in metrics.lines().filter_map(|line| line.strip_prefix(BUCKET)) {
        let (labels, count) = line.rsplit_once("} ")?;
        let bound = labels.split(',').find_map(|label| label.strip_prefix("le=\""))?;
        let bound = match bound.trim_end_matches('"') {
            "+Inf" => u64::MAX,
            seconds => nanos(seconds.parse().ok()?),
        };
        *counts.entry(bound).or_default() += count.trim().parse::<f64>().ok()?;
    }
    let all = counts.last_key_value().map(|(_, all)| *all).filter(|all| *all > 0.0)?;
    let buckets: Vec<(u64, f64)> = counts.into_iter().collect();
    Some((quantile(&buckets, all * 0.5), quantile(&buckets, all * 0.99)))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounds of seconds")]
fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

/// Where so many of the observations are below, by a straight line within the bucket.
fn quantile(buckets: &[(u64, f64)], rank: f64) -> f64 {
    let (mut lower, mut below) = (0.0, 0.0);
    for (bound, count) in buckets {
        #[expect(clippy::cast_precision_loss, reason = "bounds of seconds")]
        let upper = if *bound == u64::MAX { lower } else { *bound as f64 / 1e6 };
        if *count >= rank {
            let share = if *count > below { (rank - below) / (count - below) } else { 1.0 };
            return lower + (upper - lower) * share;
        }
        (lower, below) = (upper, *count);
    }
    lower
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_come_from_the_buckets_of_all_sources() {
        let of = |source: &str, counts: [u64; 3]| {
            let [one, two, all] = counts;
            format!(
                "{BUCKET}source=\"{source}\",le=\"0.001\"}} {one}\n\
                 {BUCKET}source=\"{source}\",le=\"0.002\"}} {two}\n\
                 {BUCKET}source=\"{source}\",le=\"+Inf\"}} {all}\n"
            )
        };
        let metrics = of("a", [50, 90, 100]) + &of("b", [50, 90, 100]) + "other 5\n";
        let (median, most) = read(&metrics).unwrap();
        assert!((median - 1.0).abs() < 1e-9, "{median}");
        assert!((most - 2.0).abs() < 1e-9, "the last bucket has no end: {most}");
        assert_eq!(read("other 5\n"), None);
        assert_eq!(read(&of("a", [0, 0, 0])), None);
    }
}
