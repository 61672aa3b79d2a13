//! The values that only a new row is given.

use deskbell_expr::Expression;
use uuid::Uuid;

use super::declaration::{DeclarationProblem, compile};
use crate::config::Expressions;

/// The namespace of the ids that are made: a random one, which must stay as it is.
const NAMESPACE: Uuid = Uuid::from_u128(0x6b1d_7f0c_5a0e_5f43_9a54_64e8_2d3c_7b11);

/// What an id like those of the npm package `cuid` begins with, and how long it is.
const CUID_PREFIX: char = 'c';
const CUID_DIGITS: usize = 24;

/// The value of a column of a new row.
#[derive(Debug)]
pub(crate) enum InsertValue {
    Expression(Expression),
    Generated(GeneratedId),
}

/// An id that is made from the entity's: the same one whenever the row is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GeneratedId {
    /// A UUID of version 5.
    Uuid,
    /// A text of 25 lower-case letters and digits, as Prisma's `cuid()` gives.
    Cuid,
}

impl GeneratedId {
    /// What a text of the config stands for, if it stands for an id.
    pub(crate) fn of(text: &str) -> Option<Self> {
        match text.trim() {
            "uuid()" => Some(Self::Uuid),
            "cuid()" => Some(Self::Cuid),
            _ => None,
        }
    }

    /// The id for an entity, by the parts that tell it from others.
    pub(crate) fn made_of(self, parts: &[&str]) -> String {
        let uuid = Uuid::new_v5(&NAMESPACE, parts.join("\n").as_bytes());
        match self {
            Self::Uuid => uuid.to_string(),
            Self::Cuid => cuid(uuid.as_u128()),
        }
    }
}

fn cuid(mut number: u128) -> String {
    let digits = std::iter::repeat_with(|| {
        let digit = u32::try_from(number % 36).unwrap_or_default();
        number /= 36;
        char::from_digit(digit, 36).unwrap_or('0')
    });
    std::iter::once(CUID_PREFIX).chain(digits.take(CUID_DIGITS)).collect()
}

impl InsertValue {
    pub(super) fn compile_all(
        values: &Expressions,
    ) -> Result<Vec<(String, Self)>, DeclarationProblem> {
        let compiled = values.iter().map(|(column, text)| {
            let value = match GeneratedId::of(text) {
                Some(id) => Self::Generated(id),
                None => Self::Expression(compile(text, || format!("on_insert.{column}"))?),
            };
            Ok((column.to_owned(), value))
        });
        compiled.collect()
    }

    /// The expression, where it is one.
    pub(crate) fn expression(&self) -> Option<&Expression> {
        match self {
            Self::Expression(expression) => Some(expression),
            Self::Generated(_) => None,
        }
    }

    /// The kind of id, where it is one.
    pub(crate) fn generated(&self) -> Option<GeneratedId> {
        match self {
            Self::Expression(_) => None,
            Self::Generated(id) => Some(*id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_depends_on_the_entity_the_table_and_the_column_alone() {
        let id = |made: GeneratedId, parts: [&str; 3]| made.made_of(&parts);
        let same = ["user_1", "User", "id"];
        // What is in users' databases: a change of it would give rows other ids.
        assert_eq!(id(GeneratedId::Uuid, same), "3bfef8fd-43f6-50d1-85a8-54908048e56a");
        assert_eq!(id(GeneratedId::Cuid, same), "c2yi251pfu881stohh8cvs9vj");
        for other in
            [["user_2", "User", "id"], ["user_1", "users", "id"], ["user_1", "User", "ref"]]
        {
            assert_ne!(id(GeneratedId::Uuid, same), id(GeneratedId::Uuid, other));
        }
    }

    #[test]
    fn a_cuid_is_a_letter_and_24_letters_or_digits() {
        for number in [0, 1, u128::MAX] {
            let made = cuid(number);
            assert_eq!(made.len(), 25);
            assert!(made.starts_with('c'));
            assert!(made.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()));
        }
    }
}
