//! A person's name in one piece.

pub(crate) fn full_name(first: Option<&str>, last: Option<&str>) -> Option<String> {
    let names = [first, last].into_iter().flatten().map(str::trim).filter(|name| !name.is_empty());
    Some(names.collect::<Vec<_>>().join(" ")).filter(|name| !name.is_empty())
}
