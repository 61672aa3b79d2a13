//! What a person most likely meant.

/// How unlike a word may be that is still suggested, of 1.0 for equal ones.
const LIKENESS_MIN: f64 = 0.8;

/// What people call a thing, and the word that it has here.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("postgres", "database"),
    ("postgresql", "database"),
    ("sqlite", "database"),
    ("mirror", "database"),
    ("db", "database"),
    ("webhook", "http"),
    ("https", "http"),
    ("endpoint", "http"),
    ("url", "http"),
    ("mail", "email"),
    ("smtp", "email"),
    ("resend", "email"),
];

/// The known words behind `intro`, the one that is most likely meant first.
#[must_use]
pub fn suggest(word: &str, known: &[&str], intro: &str) -> String {
    let listed = known.join(", ");
    match meant(word, known) {
        Some(near) => format!("did you mean `{near}`? {intro} {listed}"),
        None => format!("{intro} {listed}"),
    }
}

/// The candidate that is meant by a word: another name of it, or one that is like it.
fn meant<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let other = OTHER_WORDS.iter().find(|(other, _)| word.eq_ignore_ascii_case(other));
    let candidate = other.and_then(|(_, meant)| candidates.iter().find(|one| *one == meant));
    candidate.copied().or_else(|| one(word, candidates))
}

/// The candidate that is most like the word.
#[must_use]
pub fn one<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    several(word, candidates, 1).pop()
}

/// The candidates that are like the word, the likest first.
#[must_use]
pub fn several<'a>(word: &str, candidates: &[&'a str], count_max: usize) -> Vec<&'a str> {
    let mut near: Vec<_> = candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), *candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    near.truncate(count_max);
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first_and_strangers_not_at_all() {
        let keys = ["listen", "admin_token", "body_bytes_max"];
        assert_eq!(one("lisen", &keys), Some("listen"));
        assert_eq!(one("listn_address", &keys), Some("listen"));
        assert_eq!(one("body_max_bytes", &keys), Some("body_bytes_max"));
        assert_eq!(one("port", &keys), None);
    }
}
