//! The comment that every file of models begins with.

use super::tables::ModelTables;
use crate::schema::TOMBSTONES;

/// The lines, each behind `//`: what the file is, what holds for every format, and these lines.
pub(super) fn header(tables: &ModelTables<'_>, format: &str, more: &str) -> String {
    let own = tables.dialect.display_name(tables.schema, TOMBSTONES);
    let text = format!(
        "The mirror of Clerk's data, as Deskbell keeps it. Printed by `deskbell schema print --format {format}`:\n\
         print it again after an upgrade of Deskbell, or after a change of `entities` or of the columns.\n\
         \n\
         Only read these tables. Deskbell writes them, and creates and alters them itself.\n\
         Columns and tables that begin with `_`, such as `{own}`, are Deskbell's own.\n\
         \n\
         {more}"
    );
    let line = |line: &str| format!("// {line}").trim_end().to_owned() + "\n";
    text.trim_end().lines().map(line).collect()
}
