//! What coding assistants read has the form that they expect.

use std::fs;
use std::path::{Path, PathBuf};

/// By <https://agentskills.io>: what a skill's description may have at most.
const DESCRIPTION_CHARS_MAX: usize = 1024;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A name, a summary, and sections of links, each with what is to be found there: <https://llmstxt.org>.
#[test]
fn llms_txt_has_its_form() {
    let text = fs::read_to_string(root().join("llms.txt")).unwrap();
    let mut lines = text.lines().filter(|line| !line.is_empty());
    assert!(lines.next().unwrap().starts_with("# "));
    assert!(lines.next().unwrap().starts_with("> "));
    let sections: Vec<_> = lines.skip_while(|line| !line.starts_with("## ")).collect();
    assert!(sections.len() > 20, "{sections:?}");
    for line in sections {
        let entry = line.strip_prefix("- [").and_then(|entry| entry.split_once("]("));
        let is_link = entry.is_some_and(|(_, target)| target.contains("): "));
        assert!(line.starts_with("## ") || is_link, "{line}");
    }
}

/// Front matter with the directory's name and a description of one line.
#[test]
fn every_skill_has_its_form() {
    let mut count = 0;
    for entry in fs::read_dir(root().join("skills")).unwrap() {
        let directory = entry.unwrap().path();
        let text = fs::read_to_string(directory.join("SKILL.md")).unwrap();
        let front = text.strip_prefix("---\n").and_then(|text| text.split_once("\n---\n"));
        let lines: Vec<_> = front.unwrap().0.lines().collect();
        let [name, description] = lines[..] else { panic!("{lines:?}") };
        let name = name.strip_prefix("name: ").unwrap();
        assert_eq!(directory.file_name().unwrap(), name);
        let description = description.strip_prefix("description: ").unwrap();
        // YAML would read a colon as another key.
        assert!(!description.contains(": ") && description.len() <= DESCRIPTION_CHARS_MAX);
        count += 1;
    }
    assert!(count > 0, "the skills were not found");
}
