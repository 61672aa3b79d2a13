//! Values of flags that several commands read alike.

/// A number above 0.
pub(super) fn number(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or("expected a number above 0")
}

/// A share from 0 to 1, or in percent.
pub(super) fn share(text: &str) -> Result<f64, &'static str> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse().map(|percent: f64| percent / 100.0),
        None => text.parse(),
    };
    let share = share.ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or("expected a share from 0 to 1, or from 0% to 100%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_fractions_or_percents() {
        for (text, wanted) in [
            ("0", Some(0.0)),
            ("0.25", Some(0.25)),
            ("25%", Some(0.25)),
            ("100 %", Some(1.0)),
            ("1", Some(1.0)),
            ("5", None),
            ("101%", None),
            ("-1%", None),
            ("NaN", None),
            ("some", None),
        ] {
            assert_eq!(share(text).ok(), wanted, "{text}");
        }
    }

    #[test]
    fn numbers_are_above_zero() {
        for text in ["0", "-1", "inf", "NaN", "", "1/2"] {
            number(text).expect_err(text);
        }
        assert_eq!(number("0.5"), Ok(0.5));
    }
}
