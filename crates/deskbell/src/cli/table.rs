//! Tables on stdout: columns as wide as what is in them, and nothing in them that a terminal obeys.

/// What separates two columns.
const GAP: &str = "  ";

/// Prints the rows under their heads. The last column may be of any width.
pub(super) fn print<const N: usize>(heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let rows = rows.into_iter().map(|row| row.map(|text| one_line(&text)));
    let rows: Vec<_> = [heads.map(str::to_owned)].into_iter().chain(rows).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = (*width).max(text.chars().count());
        }
    }
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(text, width)| format!("{text:width$}"));
        println!("{}", cells.collect::<Vec<_>>().join(GAP).trim_end());
    }
}

/// The text without line breaks and control characters: others have written some of what is shown.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_left_out() {
        assert_eq!(one_line("a\u{1b}[2Jb\r\nc"), "a [2Jb  c");
    }
}
