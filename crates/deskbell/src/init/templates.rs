//! The templates of the files.

pub(super) const CONFIG: &str = include_str!("templates/deskbell.toml");
pub(super) const DESTINATION: &str = include_str!("templates/destination.toml");
pub(super) const COMPOSE: &str = include_str!("templates/compose.yaml");
pub(super) const SERVICE: &str = include_str!("templates/deskbell.service");

/// The template with these values in the place of `@NAME@`.
pub(super) fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let fill =
        |text: String, (name, value): &(&str, &str)| text.replace(&format!("@{name}@"), value);
    values.iter().fold(template.to_owned(), fill)
}
