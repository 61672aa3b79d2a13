//! Where the file declares what.

/// Where a section begins in the file, as errors name it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line(pub Option<usize>);

/// Two configs are the same wherever they are in the file.
impl PartialEq for Line {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Line {}

impl Line {
    pub(super) fn of(self, section: &str) -> String {
        let line = self.0.map(|line| format!(" in line {line} of the config"));
        format!("[[destination.{section}]]{}", line.unwrap_or_default())
    }
}
