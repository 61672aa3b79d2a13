//! Tables on stdout: columns as wide as what is in them, and nothing in them that a terminal obeys.

use deskbell_delivery::one_line;

/// What separates two columns.
const GAP: &str = "  ";
/// The widest that a column becomes but for the last one; what is longer is cut.
const WIDTH_MAX: usize = 160;

/// Prints the rows under their heads. The last column may be of any width.
pub(super) fn print<const N: usize>(heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    for line in lines(heads, rows) {
        outln!("{line}");
    }
}

fn lines<const N: usize>(
    heads: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Vec<String> {
    let rows = rows.into_iter().map(|row| {
        let mut column = 0..N;
        row.map(|text| match column.next() {
            Some(column) if column + 1 < N => cut(one_line(&text)),
            _ => one_line(&text),
        })
    });
    let rows: Vec<_> = [heads.map(str::to_owned)].into_iter().chain(rows).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, text) in widths.iter_mut().zip(row).take(N - 1) {
            *width = (*width).max(text.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(text, width)| format!("{text:width$}"));
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn cut(text: String) -> String {
    if text.chars().count() <= WIDTH_MAX {
        return text;
    }
    text.chars().take(WIDTH_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_any_length_is_shown() {
        let long = "a".repeat(70_000);
        let shown = lines(["TYPE", "ID"], [[long.clone(), "x".into()], ["b".into(), long.clone()]]);
        assert_eq!(shown[1], format!("{}…  x", "a".repeat(159)));
        assert!(shown[2].ends_with(&long), "the last column is whole");
    }
}
