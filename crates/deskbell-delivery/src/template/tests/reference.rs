//! The reference page has what there is, and it is true.

use std::collections::BTreeSet;

use super::super::reference::{FILTERS, FUNCTIONS, Reference, TESTS};
use super::super::{filters, names};
use super::render;

fn listed(references: &[Reference]) -> BTreeSet<&'static str> {
    let names: Vec<_> = references.iter().flat_map(|one| one.names).copied().collect();
    let set = BTreeSet::from_iter(names.iter().copied());
    assert_eq!(set.len(), names.len(), "a name twice: {names:?}");
    set
}

fn first<T>(named: impl IntoIterator<Item = (&'static str, T)>) -> BTreeSet<&'static str> {
    named.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn every_name_is_listed() {
    let short = first(filters::short_filters());
    let all = short.into_iter().chain(first(filters::long_filters())).collect();
    assert_eq!(listed(FILTERS), all);
    assert_eq!(listed(TESTS), first(names::all_tests()));
    assert_eq!(listed(FUNCTIONS), first(names::all_functions()));
}

#[test]
fn every_example_renders_to_what_is_said() {
    for Reference { names, example, rendered, .. } in [FILTERS, TESTS, FUNCTIONS].concat() {
        assert_eq!(render(example), rendered, "{names:?}: {example}");
        assert!(names.iter().any(|name| example.contains(name)), "{names:?}: {example}");
    }
}
