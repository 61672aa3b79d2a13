//! Links in the documents lead to files that are there, and a link named for an item to a file that defines it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    assert!(documents.len() > 10, "the documents were not found");
    let mut wrong = Vec::new();
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let broken = links(&text).filter(|(name, target)| !leads(&document, name, target));
        wrong.extend(broken.map(|(name, to)| format!("{}: [{name}]({to})", document.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_source_file_that_the_architecture_names_is_there() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let sources = listed("*.rs");
    let is_there = |name: &str| {
        sources.iter().any(|source| {
            let before = source.strip_suffix(name);
            before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
        })
    };
    let is_file = |name: &&str| name.ends_with(".rs") && !name.contains([' ', '*', '<']);
    let named: Vec<_> = text.split('`').skip(1).step_by(2).filter(is_file).collect();
    assert!(named.len() > 10, "the files were not found");
    let wrong: Vec<_> = named.into_iter().filter(|name| !is_there(name)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn links_are_read() {
    let text =
        "A [page](docs/a.md#top) and [`run`](src/a.rs), `[code](no)`.\n```\n[b](no)\n```\n[x][y]";
    let found: Vec<_> = links(text).collect();
    assert_eq!(found, [("page", "docs/a.md#top"), ("`run`", "src/a.rs")]);
    for (line, expected) in [
        ("    pub(crate) async fn run(", true),
        ("fn run<T>(", true),
        ("struct run {", true),
        ("fn run_once(", false),
        ("run()", false),
    ] {
        assert_eq!(defines(line, "run"), expected, "{line}");
    }
}

/// All documents that are kept in the repository.
fn documents() -> Vec<PathBuf> {
    let files = [listed("*.md"), listed("llms.txt")].concat();
    files.iter().map(|file| root().join(file)).collect()
}

/// The files of this pattern that are kept in the repository.
fn listed(pattern: &str) -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", pattern]).current_dir(root()).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    listed.lines().map(str::to_owned).collect()
}

/// The name and the target of each link, outside of code.
fn links(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|prose| prose.split("](").zip(prose.split("](").skip(1))).filter_map(
        |(before, after)| {
            let name = before.rsplit_once('[')?.1;
            let is_code = name.matches('`').count() % 2 == 1
                || before.rsplit('\n').next()?.matches('`').count() % 2 == 1;
            (!is_code).then_some((name, after.split_once(')')?.0))
        },
    )
}

fn leads(document: &Path, name: &str, target: &str) -> bool {
    let file = target.split('#').next().unwrap_or_default();
    if target.contains("://") || target.starts_with("mailto:") || file.is_empty() {
        return true;
    }
    let path = document.parent().unwrap().join(file);
    let item = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
    match item.filter(|_| file.ends_with(".rs")) {
        Some(item) if !item.contains(['.', '/']) => {
            let item = item.rsplit("::").next().unwrap_or(item);
            fs::read_to_string(path)
                .is_ok_and(|source| source.lines().any(|line| defines(line, item)))
        }
        _ => path.exists(),
    }
}

/// Whether a line of Rust begins the definition of this item.
fn defines(line: &str, item: &str) -> bool {
    ["fn ", "struct ", "enum ", "trait ", "const "].iter().any(|keyword| {
        let after = line.split_once(keyword).and_then(|(_, after)| after.strip_prefix(item));
        after.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
