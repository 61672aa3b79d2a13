//! Inside each crate, files and modules import each other downwards only: there is no circle.
//!
//! - A file has an arrow to the file that *defines* what it names: in `use`, in paths in code, and by macros. What a
//!   module re-exports (`pub use`) is followed to where it is defined, so that a facade is no circle.
//! - A parent may use its children and then has arrows to them; the children must not use what the parent itself defines.
//!   `mod child;` alone is no arrow, nor is a call of a method or a path in a string.
//! - Modules that lie beside each other are looked at as well, each with all that is below it: `a/x.rs` → `b/y.rs` and
//!   `b/z.rs` → `a/w.rs` is a circle of `a` and `b`.
//! - `#[cfg(test)]` is not looked at.

use std::fs;
use std::path::{Path, PathBuf};

use arrows::arrows;
use circles::{Circle, circles};
use modules::modules;

mod arrows;
mod circles;
mod modules;
mod tokens;

#[test]
fn no_crate_has_a_circle() {
    let mut found = Vec::new();
    for package in packages() {
        for root in ["lib.rs", "main.rs"] {
            let read = |file: &str| fs::read_to_string(workspace().join(file)).ok();
            let folder = format!("{package}/src");
            if read(&format!("{folder}/{root}")).is_some() {
                found.extend(circles_below(&folder, root, &read));
            }
        }
    }
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn circles_below(folder: &str, root: &str, read: &dyn Fn(&str) -> Option<String>) -> Vec<Circle> {
    circles(&arrows(&modules(&format!("{folder}/{root}"), read)), folder)
}

/// The folders of all packages, seen from the workspace.
fn packages() -> Vec<String> {
    let crates = fs::read_dir(workspace().join("crates")).unwrap();
    let names = crates.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut packages: Vec<_> = names.map(|name| format!("crates/{name}")).collect();
    packages.extend(["benches", "faults", "xtask"].map(str::to_owned));
    packages
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The circles of a made-up crate, whose files are given by name and text.
fn circles_in(files: &[(&str, &str)]) -> Vec<String> {
    let read = |file: &str| {
        let (_, text) = files.iter().find(|(name, _)| format!("src/{name}") == file)?;
        Some((*text).to_owned())
    };
    circles_below("src", "lib.rs", &read).iter().map(ToString::to_string).collect()
}

#[test]
fn every_kind_of_path_is_followed() {
    let root = ("lib.rs", "mod a; mod b;");
    let back = "use crate::a::A; pub struct B; pub fn f() {}";
    for forth in [
        "use crate::b::B;",
        "use super::b::{self, B};",
        "use crate::{b::B as C, a::A};",
        "use crate::b; fn g() { b::f() }",
        "use crate::b::*;",
        "fn g() { crate::b::f(); }",
        "fn g() { super::b::f(); }",
        "fn g() { println!(\"{}\", crate::b::B::NAME); }",
        "fn g() { use crate::b::f; }",
        "pub(crate) use crate::b::B;",
        "macro_rules! m { () => { $crate::b::f() }; }",
        "mod inner { use super::super::b::B; }",
        "fn g() -> <crate::b::B as Iterator>::Item {}",
    ] {
        let source = format!("{forth} pub struct A;");
        let found = circles_in(&[root, ("a.rs", &source), ("b.rs", back)]);
        assert_eq!(found.len(), 1, "{forth}: {found:?}");
    }
}

#[test]
fn a_circle_is_named_file_by_file() {
    let found = circles_in(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;"),
        ("a.rs", "use crate::b::B;\npub struct A;"),
        ("b.rs", "// Why.\nuse super::c::{C, D};\npub struct B;"),
        ("c.rs", "pub type C = crate::a::A;\npub type D = u8;"),
    ]);
    let expected = "src/a.rs, src/b.rs, src/c.rs import each other:\n  \
        src/a.rs:1 names crate::b::B of src/b.rs\n  \
        src/b.rs:2 names super::c::C of src/c.rs\n  \
        src/c.rs:1 names crate::a::A of src/a.rs";
    assert_eq!(found, [expected]);
}

#[test]
fn a_child_may_not_use_what_its_parent_defines() {
    let child = ("a/child.rs", "use super::A; pub fn f() {}");
    let found = circles_in(&[
        ("lib.rs", "mod a;"),
        ("a.rs", "mod child; use child::f; pub struct A;"),
        child,
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    let found = circles_in(&[
        ("lib.rs", "mod a;"),
        ("a.rs", "mod child; mod own; pub use child::f; pub use own::A;"),
        ("a/own.rs", "pub struct A;"),
        child,
    ]);
    assert_eq!(found, [""; 0], "a facade is no circle");
}

#[test]
fn macros_and_what_they_make_are_followed() {
    let found = circles_in(&[
        ("lib.rs", "#[macro_use] mod a; mod b;"),
        ("a.rs", "macro_rules! made { ($n:ident) => { pub struct $n; }; } use crate::b::Made;"),
        ("b.rs", "made!(Made);"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn modules_are_looked_at_with_all_that_is_below_them() {
    let found = circles_in(&[
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod x; mod w;"),
        ("a/x.rs", "use crate::b::y::Y;"),
        ("a/w.rs", "pub struct W;"),
        ("b/mod.rs", "pub mod y; mod z;"),
        ("b/y.rs", "pub struct Y;"),
        ("b/z.rs", "use crate::a::w::W;"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("src/a, src/b import each other"), "{found:?}");
}

#[test]
fn what_is_no_arrow() {
    for forth in [
        "#[cfg(test)] mod tests { use crate::b::B; }",
        "#[cfg(test)] mod tests; ",
        "#[cfg(test)] use crate::b::B;",
        "/// [`B`](crate::b::B)\n// crate::b::B\nconst T: &str = \"crate::b::B\";",
        "use ::b::B; use serde::b::B as C;",
        "pub(in crate::b) struct P;",
        "use std::b; fn g() { b::B::new() }",
    ] {
        let source = format!("{forth} pub struct A;");
        let back = "use crate::a::A; pub struct B;";
        let found = circles_in(&[("lib.rs", "mod a; mod b;"), ("a.rs", &source), ("b.rs", back)]);
        assert_eq!(found, [""; 0], "{forth}");
    }
}
