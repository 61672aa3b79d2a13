//! The columns of a draft.

/// A column that is given a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftedColumn {
    pub column: String,
    /// The expression of its value.
    pub value: String,
    /// What a reader may not expect of it.
    pub remark: Option<String>,
}

/// A column that must not be null, and that nobody fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfilledColumn {
    pub column: String,
    /// Its type as the database writes it.
    pub type_name: String,
    /// The labels of an enumeration.
    pub labels: Vec<String>,
    /// The table that it refers to.
    pub refers_to: Option<String>,
    /// An expression that the column could hold.
    pub example: Option<String>,
    /// The statement that gives it a default, where the database can do that.
    pub set_default: Option<String>,
}

impl DraftedColumn {
    pub(super) fn new(column: &str, value: impl Into<String>) -> Self {
        Self { column: column.to_owned(), value: value.into(), remark: None }
    }
}

impl UnfilledColumn {
    /// What it is, behind its name.
    #[must_use]
    pub fn reason(&self) -> String {
        let kind = match (self.labels.as_slice(), &self.refers_to) {
            ([], None) => self.type_name.clone(),
            ([], Some(table)) => format!("{} that refers to {table}", self.type_name),
            (labels, _) => format!("{}, one of {}", self.type_name, labels.join(", ")),
        };
        format!("must not be null ({kind}) and has no default, and Clerk has no value for it")
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> String {
        let example = self.example.as_deref().unwrap_or("EXPRESSION");
        let default = match &self.set_default {
            Some(statement) => format!("a default in the database ({statement})"),
            None => "a default in the database".to_owned(),
        };
        format!("give it {default}, or a value in `on_insert`: --set \"{}={example}\"", self.column)
    }
}
