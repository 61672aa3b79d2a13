//! A table on standard output, and the same numbers as JSON in `target/bench`.

use std::fs;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

use crate::error::BenchError;

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) name: String,
    /// Processors that everything shared, load generator included.
    pub(crate) processors: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) aims: Vec<Aim>,
    /// What else must be known to compare the numbers with others.
    pub(crate) notes: Vec<String>,
}

/// One line of the table: what was measured, and its numbers with their units in their names.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) what: String,
    #[serde(serialize_with = "as_map")]
    pub(crate) numbers: Vec<(&'static str, f64)>,
}

/// What is aimed at, and what was reached.
#[derive(Debug, Serialize)]
pub(crate) struct Aim {
    pub(crate) what: String,
    pub(crate) aim: f64,
    pub(crate) at_least: bool,
    pub(crate) reached: f64,
    pub(crate) met: bool,
}

impl Aim {
    pub(crate) fn at_least(what: impl Into<String>, aim: f64, reached: f64) -> Self {
        Self { what: what.into(), aim, at_least: true, reached, met: reached >= aim }
    }

    pub(crate) fn at_most(what: impl Into<String>, aim: f64, reached: f64) -> Self {
        Self { what: what.into(), aim, at_least: false, reached, met: reached <= aim }
    }
}

impl Report {
    pub(crate) fn new(name: impl Into<String>, rows: Vec<Row>, aims: Vec<Aim>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { name: name.into(), processors, rows, aims, notes: Vec::new() }
    }

    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(crate) fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// Prints the table, or a line of JSON, and writes `target/bench/<name>.json`.
    pub(crate) fn publish(&self, json: bool) -> Result<(), BenchError> {
        let directory = target_directory()?.join("bench");
        fs::create_dir_all(&directory)?;
        let file = directory.join(format!("{}.json", self.name));
        fs::write(&file, serde_json::to_vec_pretty(self)?)?;
        if json {
            println!("{}", serde_json::to_string(self)?);
            eprint!("{}", self.table());
        } else {
            print!("{}", self.table());
            println!("written to {}", file.display());
        }
        Ok(())
    }

    fn table(&self) -> String {
        let mut text = format!("\n{} ({} processors)\n", self.name, self.processors);
        let width = self.rows.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
        for Row { what, numbers } in &self.rows {
            text += &format!("  {what:width$}");
            for (name, number) in numbers {
                text += &format!("  {name} {}", shown(*number));
            }
            text.push('\n');
        }
        for note in &self.notes {
            text += &format!("  {note}\n");
        }
        for Aim { what, aim, at_least, reached, met } in &self.aims {
            let bound = if *at_least { "at least" } else { "at most" };
            let verdict = if *met { "met" } else { "MISSED" };
            let (aim, reached) = (shown(*aim), shown(*reached));
            text += &format!("  {what}: {reached}, aim {bound} {aim}: {verdict}\n");
        }
        text
    }
}

/// The middle one; of two middle ones the lower.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

/// Where this program was built to: `target` is two above `target/release/deskbell-bench`.
pub(crate) fn target_directory() -> Result<PathBuf, BenchError> {
    let program = std::env::current_exe()?;
    Ok(program.ancestors().nth(2).map_or_else(|| PathBuf::from("target"), PathBuf::from))
}

/// By their names, in their order.
fn as_map<S: Serializer>(numbers: &[(&str, f64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(numbers.iter().copied())
}

fn shown(number: f64) -> String {
    if number.abs() >= 100.0 { format!("{number:.0}") } else { format!("{number:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_number_and_says_which_aim_was_missed() {
        let row = Row { what: "sqlite".to_owned(), numbers: vec![("acks_per_second", 20_000.4)] };
        let aims = vec![Aim::at_least("ratio", 0.6, 0.71), Aim::at_most("p99_ms", 20.0, 31.5)];
        let report = Report::new("ingest", vec![row], aims).with_note("fsync on");
        let table = report.table();
        assert!(table.contains("  sqlite  acks_per_second 20000\n"), "{table}");
        assert!(table.contains("  fsync on\n"), "{table}");
        assert!(table.contains("ratio: 0.71, aim at least 0.60: met\n"), "{table}");
        assert!(table.contains("p99_ms: 31.50, aim at most 20.00: MISSED\n"), "{table}");
    }

    #[test]
    fn the_median_is_the_middle_one() {
        for (numbers, expected) in
            [(vec![], 0.0), (vec![3.0], 3.0), (vec![5.0, 1.0, 3.0], 3.0), (vec![2.0, 1.0], 1.0)]
        {
            assert!((median(numbers.clone()) - expected).abs() < 1e-9, "of {numbers:?}");
        }
    }
}
