//! Numbers for people, with their units.

/// With a comma at each thousand.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2,000 events`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// A count that may not be known.
pub(crate) fn known(number: Option<u64>) -> String {
    number.map_or_else(|| "–".to_owned(), count)
}

pub(crate) fn bytes(bytes: usize) -> String {
    match bytes {
        0..1_000 => counted(bytes as u64, "byte"),
        1_000..1_000_000 => format!("{} KB", tenths(bytes, 1_000)),
        _ => format!("{} MB", tenths(bytes, 1_000_000)),
    }
}

fn tenths(bytes: usize, unit: usize) -> String {
    format!("{}.{}", bytes / unit, bytes % unit * 10 / unit)
}

/// Milliseconds that were measured.
pub(crate) fn milliseconds(ms: f64) -> String {
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

/// A rate that was averaged.
pub(crate) fn rate(number: f64) -> String {
    if number < 10.0 { format!("{number:.1}") } else { format!("{number:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([count(7), count(1_000), count(1_234_567)], ["7", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "event"), counted(0, "event")], ["1 event", "0 events"]);
        assert_eq!(bytes(1), "1 byte");
        assert_eq!([bytes(999), bytes(1_250), bytes(3_400_000)], ["999 bytes", "1.2 KB", "3.4 MB"]);
        assert_eq!([milliseconds(0.84), milliseconds(51.6)], ["0.8 ms", "52 ms"]);
        assert_eq!([rate(0.25), rate(41.7)], ["0.2", "42"]);
    }
}
