//! Names of tables and columns, however an application writes them.

/// `clerkId`, `clerk_id` and `ClerkID` as one: `clerkid`.
pub(super) fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// `"public"."User"`, `public.User` and `"User"` as the config names a table: without quotes.
pub(super) fn without_quotes(table: &str) -> String {
    let (mut name, mut quote) = (String::new(), None);
    let mut characters = table.trim().chars().peekable();
    while let Some(character) = characters.next() {
        match quote {
            // Twice, it is a part of the name.
            Some(open) if character == open && characters.peek() == Some(&open) => {
                name.push(open);
                characters.next();
            }
            Some(open) if character == open => quote = None,
            None if matches!(character, '"' | '`') => quote = Some(character),
            _ => name.push(character),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_known_however_it_is_written() {
        for name in ["clerkId", "clerk_id", "ClerkID", "CLERK_ID", "clerk-id"] {
            assert_eq!(plain(name), "clerkid");
        }
    }

    #[test]
    fn quotes_are_no_part_of_a_table() {
        for (table, expected) in [
            ("users", "users"),
            ("\"User\"", "User"),
            ("public.\"User\"", "public.User"),
            ("\"public\".\"User\"", "public.User"),
            ("`User`", "User"),
            ("\"a\"\"b\"", "a\"b"),
        ] {
            assert_eq!(without_quotes(table), expected);
        }
    }
}
