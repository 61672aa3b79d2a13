//! Names of tables and columns as other languages write them.

/// `primary_email_address` as `primaryEmailAddress`.
pub(super) fn camel(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &capitalized(word))
}

/// `user_email_addresses` as `UserEmailAddresses`.
pub(super) fn pascal(name: &str) -> String {
    name.split('_').map(capitalized).collect()
}

/// `user_email_addresses` as `UserEmailAddress`.
pub(super) fn pascal_singular(table: &str) -> String {
    pascal(&singular(table))
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

fn singular(table: &str) -> String {
    if let Some(stem) = table.strip_suffix("sses") {
        return format!("{stem}ss");
    }
    if let Some(stem) = table.strip_suffix("ies") {
        return format!("{stem}y");
    }
    // `sms` is both.
    table.strip_suffix('s').filter(|_| table != "sms").unwrap_or(table).to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::mapping::Mappings;
    use crate::schema;

    #[test]
    fn every_table_has_a_singular_of_its_own() {
        let tables = schema::tables(&Mappings::of_everything().unwrap());
        let names: Vec<_> = tables.iter().map(|table| pascal_singular(table.name)).collect();
        let different: BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len(), "{names:?}");
        for (table, expected) in [
            ("users", "User"),
            ("user_email_addresses", "UserEmailAddress"),
            ("waitlist_entries", "WaitlistEntry"),
            ("sms", "Sms"),
            ("_dead_letters", "DeadLetter"),
        ] {
            assert_eq!(pascal_singular(table), expected);
            assert!(tables.iter().any(|declared| declared.name == table), "{table}");
        }
    }

    #[test]
    fn columns_are_written_in_camel_case() {
        for (name, expected) in [
            ("id", "id"),
            ("primary_web3_wallet_id", "primaryWeb3WalletId"),
            ("_updated_at_ms", "updatedAtMs"),
        ] {
            assert_eq!(camel(name), expected);
        }
    }
}
