//! The table of limits in `docs/reliability.md` says what the code says, and each line has its test.

use std::fs;
use std::path::{Path, PathBuf};

/// Columns of the table: who and what, at most, what happens then, the limit's place, the test.
const COLUMNS: usize = 5;

#[test]
fn every_line_of_the_table_is_what_the_code_has() {
    let lines = table();
    assert!(lines.len() > 10, "the table was not found");
    let wrong: Vec<_> = lines.iter().filter_map(|line| check(line).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn amounts_and_constants_are_read() {
    for (written, value) in [
        ("64 KiB", 65_536),
        ("1 MiB", 1 << 20),
        ("600,000 units", 600_000),
        ("250 ms", 250),
        ("10 s", 10_000),
        ("24 h", 86_400_000),
        ("16", 16),
    ] {
        assert_eq!(amount(written), Some(value), "{written}");
    }
    for (expression, value) in [
        ("64 << 10", 65_536),
        ("1 << 20", 1 << 20),
        ("600_000", 600_000),
        ("Duration::from_millis(250)", 250),
        ("Duration::from_secs(24 * 3600)", 86_400_000),
    ] {
        assert_eq!(evaluated(expression), Some(value), "{expression}");
    }
    let source = "const A_MAX: usize = 64 << 10;\nSelf { a_max: 1_024,\n b: 2 }";
    assert_eq!(constant(source, "A_MAX"), Some("64 << 10"));
    assert_eq!(constant(source, "a_max"), Some("1_024"));
    assert_eq!(constant(source, "MAX"), None);
}

/// The cells of each line between the table's marks.
fn table() -> Vec<Vec<String>> {
    let page = fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let (_, rest) = page.split_once("<!-- limits: begin -->").unwrap();
    let (table, _) = rest.split_once("<!-- limits: end -->").unwrap();
    let lines = table.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect();
    lines.map(cells).collect()
}

fn check(cells: &[String]) -> Result<(), String> {
    let wrong = |what: &str| format!("{}: {what}", cells.join(" | "));
    if cells.len() != COLUMNS {
        return Err(wrong("the line has another number of cells"));
    }
    let (place, test) = (words(&cells[3]), words(&cells[4]));
    let ([file, name], [test]) = (place.as_slice(), test.as_slice()) else {
        return Err(wrong("expected `file` `constant` and `test`"));
    };
    let path = root().join("crates").join(file);
    let source = fs::read_to_string(&path).map_err(|_| wrong("the file is not there"))?;
    let value = constant(&source, name).ok_or_else(|| wrong("the constant is not there"))?;
    let (said, found) = (amount(&cells[1]), evaluated(value));
    if said.is_none() || said != found {
        return Err(wrong(&format!("the table says {said:?}, and the code {value} = {found:?}")));
    }
    if !has_test(&root().join("crates"), test) {
        return Err(wrong("the test is not there"));
    }
    Ok(())
}

/// What stands between backticks.
fn words(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// What a constant, or a field of the defaults, is set to.
fn constant<'s>(source: &'s str, name: &str) -> Option<&'s str> {
    source.lines().find_map(|line| {
        let line = line.trim();
        let line = line.strip_prefix("Self {").unwrap_or(line).trim();
        if let Some((head, value)) = line.split_once(" = ")
            && head.contains("const ")
            && head.split(':').next().is_some_and(|head| head.ends_with(&format!(" {name}")))
        {
            return value.strip_suffix(';');
        }
        let value = line.strip_prefix(name)?.strip_prefix(": ")?.strip_suffix(',')?;
        value.starts_with(|c: char| c.is_ascii_digit() || c == 'D').then_some(value)
    })
}

/// An amount as the table has it: bytes, milliseconds, or a number.
fn amount(written: &str) -> Option<u64> {
    let (number, unit) = written.split_once(' ').unwrap_or((written, ""));
    let factor = match unit {
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => 1,
    };
    Some(number.replace(',', "").parse::<u64>().ok()? * factor)
}

/// An expression of a constant: numbers, shifts, products, and durations in milliseconds.
fn evaluated(expression: &str) -> Option<u64> {
    let expression = expression.trim();
    for (duration, factor) in [("Duration::from_secs(", 1_000), ("Duration::from_millis(", 1)] {
        if let Some(inside) = expression.strip_prefix(duration) {
            return Some(evaluated(inside.strip_suffix(')')?)? * factor);
        }
    }
    if let Some((left, right)) = expression.split_once(" << ") {
        return Some(evaluated(left)? << evaluated(right)?);
    }
    if let Some((left, right)) = expression.split_once(" * ") {
        return Some(evaluated(left)? * evaluated(right)?);
    }
    expression.replace('_', "").parse().ok()
}

/// Whether a test of this name is in a crate.
fn has_test(directory: &Path, name: &str) -> bool {
    let declared = format!("fn {name}(");
    fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return has_test(&path, name);
        }
        path.extension().is_some_and(|extension| extension == "rs")
            && fs::read_to_string(&path).unwrap().contains(&declared)
    })
}

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
