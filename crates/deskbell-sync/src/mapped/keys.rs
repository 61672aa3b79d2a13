//! Keys as the database tells them apart: all that are equal to it have one text.

use std::collections::{BTreeMap, BTreeSet};

use super::lookups::Resolved;
use super::record::Record;
use super::table_sql::TableSql;
use crate::db::{DatabaseError, DbSession, end_unit};

/// Resolved keys, by the keys as they were given.
#[derive(Debug, Default)]
pub(super) struct Keys(BTreeMap<String, Resolved>);

impl Keys {
    /// Asks the database about these keys, where it has not been asked yet.
    pub(super) async fn learn(
        &mut self,
        session: &mut dyn DbSession,
        sql: &TableSql,
        keys: &BTreeSet<String>,
    ) -> Result<(), DatabaseError> {
        let unknown: Vec<&str> =
            keys.iter().filter(|key| !self.0.contains_key(*key)).map(String::as_str).collect();
        if sql.bytewise {
            self.0.extend(unknown.into_iter().map(|key| (key.to_owned(), as_given(sql, key))));
            return Ok(());
        }
        // A key that cannot be of the column's type is refused, with all that are asked about with it.
        let mut left = vec![&unknown[..]];
        while let Some(keys) = left.pop() {
            if keys.is_empty() {
                continue;
            }
            let texts: Vec<_> = keys.iter().map(|key| sql.key_texts(key)).collect();
            session.begin_unit().await?;
            let resolved = sql.lookups.resolve(session, &texts).await;
            match (end_unit(session, resolved).await?, keys) {
                (Ok(resolved), _) => {
                    self.0.extend(keys.iter().map(|key| ((*key).to_owned(), as_given(sql, key))));
                    let resolved = resolved.into_iter();
                    self.0.extend(
                        resolved.filter_map(|(at, of)| Some(((*keys.get(at)?).to_owned(), of))),
                    );
                }
                (Err(_), [key]) => {
                    self.0.insert((*key).to_owned(), as_given(sql, key));
                }
                (Err(_), _) => {
                    let (first, second) = keys.split_at(keys.len() / 2);
                    left.extend([second, first]);
                }
            }
        }
        Ok(())
    }

    /// Makes the keys of records canonical that were written before this was known; their ids.
    pub(super) async fn make_canonical(
        &mut self,
        session: &mut dyn DbSession,
        sql: &TableSql,
        records: &mut [Record],
    ) -> Result<Vec<String>, DatabaseError> {
        if sql.bytewise {
            return Ok(records.iter_mut().filter_map(|record| as_text(sql, record)).collect());
        }
        let is_old = |record: &Record| record.key.is_some() && record.given_key.is_none();
        let old = records.iter().filter(|record| is_old(record));
        let keys = old.flat_map(|record| [record.key.clone(), record.shown.clone()]);
        let keys: BTreeSet<_> = keys.flatten().collect();
        self.learn(session, sql, &keys).await?;
        let mut changed = Vec::new();
        for record in records.iter_mut().filter(|record| is_old(record)) {
            record.given_key.clone_from(&record.key);
            record.key = record.key.take().map(|key| self.canonical(&key));
            record.shown = record.shown.take().map(|key| self.canonical(&key));
            changed.push(record.id.clone());
        }
        Ok(changed)
    }

    /// The text that all keys equal to this one share.
    pub(super) fn canonical(&self, key: &str) -> String {
        self.0.get(key).map_or_else(|| key.to_owned(), |resolved| resolved.key.clone())
    }

    /// The row that has this key, by its own text of it.
    pub(super) fn row(&self, key: &str) -> Option<&String> {
        self.0.get(key)?.row.as_ref()
    }

    /// Other texts of keys that were asked for, under which records of earlier versions may be: as the
    /// rows have them, and as they were given.
    pub(super) fn others(&self) -> impl Iterator<Item = &String> {
        let given = self.0.iter().filter(|(given, resolved)| **given != resolved.key);
        let rows = self.0.values().filter_map(|resolved| resolved.row.as_ref());
        given.map(|(given, _)| given).chain(rows)
    }

    /// The key that a row has from now on which is spelled like this; `None` where that is the same one:
    /// equal keys have one text, unless the collation alone knows which are equal.
    pub(super) fn respelled(sql: &TableSql, key: &str, spelled: &str) -> Option<String> {
        if key == spelled || sql.spelled_parts().next().is_none() {
            return None;
        }
        let parts = |key: &str| serde_json::from_str::<Vec<serde_json::Value>>(key).ok();
        let (mut now, spelled) = (parts(key)?, parts(spelled)?);
        for at in sql.spelled_parts() {
            now.get_mut(at)?.clone_from(spelled.get(at)?);
        }
        let now = serde_json::Value::Array(now).to_string();
        (now != key).then_some(now)
    }

    /// The key as this entity gives it, where the database takes it for equal to the canonical one.
    pub(super) fn spelled<'r>(&self, record: &'r Record, sql: &TableSql) -> Option<&'r str> {
        let (given, key) = (record.given_key.as_deref()?, record.key.as_ref()?);
        // Nothing else but what rewrites keys makes another one of it.
        let is_equal = !sql.rewrites || self.0.get(given)?.key == *key;
        is_equal.then_some(given)
    }
}

/// Gives a record of an earlier version, where keys were not texts, its keys as texts; its id where
/// that changed them.
fn as_text(sql: &TableSql, record: &mut Record) -> Option<String> {
    let text = |key: &Option<String>| {
        let key = key.as_ref().filter(|key| !is_text_already(sql, key))?;
        let text = as_given(sql, key).key;
        // What is no text even then, such as JSON, was kept as it is.
        (text != *key && as_given(sql, &text).key == text).then_some(text)
    };
    let (key, shown) = (text(&record.key), text(&record.shown));
    if key.is_none() && shown.is_none() {
        return None;
    }
    record.key = key.or_else(|| record.key.take());
    record.shown = shown.or_else(|| record.shown.take());
    Some(record.id.clone())
}

fn as_given(sql: &TableSql, key: &str) -> Resolved {
    if is_text_already(sql, key) {
        return Resolved { key: key.to_owned(), row: None };
    }
    let key = serde_json::Value::Array(sql.key_texts(key).json(sql.dialect)).to_string();
    Resolved { key, row: None }
}

/// Whether `_versions` has the key as the table has it.
fn is_text_already(sql: &TableSql, key: &str) -> bool {
    sql.keeps_texts && has_texts_alone(key)
}

/// Whether a list of JSON holds nothing but texts. Cheaper than to read it: it is asked of every row.
fn has_texts_alone(list: &str) -> bool {
    let (mut in_text, mut is_escaped) = (false, false);
    list.bytes().all(|byte| {
        let is_fine = in_text || matches!(byte, b'"' | b'[' | b']' | b',');
        if byte == b'"' && !is_escaped {
            in_text = !in_text;
        }
        is_escaped = in_text && !is_escaped && byte == b'\\';
        is_fine
    })
}

#[cfg(test)]
mod tests {
    use super::has_texts_alone;

    #[test]
    fn a_list_of_texts_is_told_from_others() {
        for (list, expected) in [
            (r#"["a"]"#, true),
            (r#"["a, 5","b\\"]"#, true),
            (r#"["\\","[5]","{\"ms\":1}"]"#, true),
            (r"[5]", false),
            (r#"["a",5]"#, false),
            (r#"["a\"",true]"#, false),
            (r#"[{"ms":1}]"#, false),
        ] {
            assert_eq!(has_texts_alone(list), expected, "{list}");
        }
    }
}
