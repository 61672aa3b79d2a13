//! Many rows for one statement.

/// The rows of a statement, as the JSON text that it takes apart with `json_each`.
pub(super) fn json(rows: &(impl serde::Serialize + ?Sized)) -> Result<String, sqlx::Error> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
