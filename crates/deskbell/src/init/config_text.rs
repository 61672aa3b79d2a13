//! The text of `deskbell.toml`.

use super::choices::{Choices, DATABASE_VARIABLE, STORE_VARIABLE};
use super::mapping::{self, quoted};
use super::templates::{CONFIG, DESTINATION, filled};

/// Of a destination with a table of the application's.
const WITHOUT_MIRROR: &str = "mirror = false                      # only the table below; leave it out for tables of Clerk's data too\n";

pub(super) fn config(choices: &Choices) -> String {
    let name = if choices.table.is_some() { "app" } else { "mirror" };
    let database = quoted(&choices.database.in_config(DATABASE_VARIABLE));
    let mirror = if choices.mirror { "" } else { WITHOUT_MIRROR };
    let mut destination =
        filled(DESTINATION, &[("NAME", name), ("DATABASE", &database), ("MIRROR", mirror)]);
    if let Some(table) = &choices.table {
        destination += &mapping::table(table);
    }
    let store = quoted(&choices.store.in_config(STORE_VARIABLE));
    filled(CONFIG, &[("STORE", &store), ("DESTINATION", &destination)])
}
