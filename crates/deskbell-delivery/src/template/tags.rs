//! The tags of a template, looked through for what the compiler says without a line.

/// The line of the first tag that this holds for, which is given it without what stands between
/// quotes.
pub(super) fn line_of(text: &str, is_wanted: impl Fn(&str) -> bool) -> Option<usize> {
    let mut rest = text;
    while let Some(start) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let tag = &rest[start + 2..];
        let end = tag.find("}}").into_iter().chain(tag.find("%}")).min().unwrap_or(tag.len());
        if is_wanted(&without_texts(&tag[..end])) {
            let before = text.len() - rest.len() + start;
            return Some(1 + text[..before].matches('\n').count());
        }
        rest = &tag[end..];
    }
    None
}

/// Whether the tag uses this name, not as a field of something.
pub(super) fn uses(tag: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    tag.match_indices(name).any(|(at, _)| {
        let before = tag[..at].chars().next_back();
        let after = tag[at + name.len()..].chars().next();
        !before.is_some_and(|c| is_part(c) || c == '.') && !after.is_some_and(is_part)
    })
}

/// Without what stands between quotes.
fn without_texts(tag: &str) -> String {
    let mut quote = None;
    tag.chars()
        .filter(|&c| match quote {
            None => {
                quote = matches!(c, '"' | '\'').then_some(c);
                quote.is_none()
            }
            Some(open) => {
                quote = (c != open).then_some(open);
                false
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_where_it_is_used() {
        let line = |text| line_of(text, |tag| uses(tag, "usr"));
        for (text, wanted) in [
            ("{{ usr }}", Some(1)),
            ("usr\n{{ user.usr }} {{ \"usr\" }} {{ usr_name }}\n{% if usr.id %}", Some(3)),
            ("usr", None),
            ("{{ x }}\n{{ usr", Some(2)),
        ] {
            assert_eq!(line(text), wanted, "{text}");
        }
    }
}
