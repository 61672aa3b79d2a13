//! Which of a user's addresses, numbers or wallets is the primary one.

use std::borrow::Cow;

/// What a user says of the primary one: the member `primary_email_address_id` and its like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrimaryId<'a> {
    /// It has no such member, as in old payloads and in those of tutorials.
    Absent,
    /// There is none.
    Null,
    /// It is the one with this id.
    Id(Cow<'a, str>),
}

/// What counts of an address, a number or a wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identifier<'a> {
    /// Its id.
    pub id: Option<Cow<'a, str>>,
    /// Whether its `verification` says that it is verified; `None` where it has no such member.
    pub verified: Option<bool>,
}

/// The primary one of these: the one that the user names. Where the user has no member for that, it
/// is the first that is verified, else the only one that has no member `verification`; one that is
/// known to be unverified never is.
///
/// ```
/// use clerk_webhooks::payload::{Identifier, PrimaryId, primary};
///
/// let addresses = [("old@example.com", Some(false)), ("ada@example.com", Some(true))];
/// let look = |&(_, verified): &(&str, _)| Identifier { id: None, verified };
/// let found = primary(&PrimaryId::Absent, addresses, look);
/// assert_eq!(found.map(|(address, _)| address), Some("ada@example.com"));
/// assert_eq!(primary(&PrimaryId::Null, addresses, look), None);
/// ```
pub fn primary<'a, T>(
    id: &PrimaryId<'_>,
    elements: impl IntoIterator<Item = T>,
    mut look: impl FnMut(&T) -> Identifier<'a>,
) -> Option<T> {
    let mut elements = elements.into_iter();
    match id {
        PrimaryId::Null => None,
        PrimaryId::Id(id) => elements.find(|element| look(element).id.as_ref() == Some(id)),
        PrimaryId::Absent => {
            let mut unknown = Vec::new();
            for element in elements {
                match look(&element).verified {
                    Some(true) => return Some(element),
                    Some(false) => {}
                    None => unknown.push(element),
                }
            }
            unknown.pop().filter(|_| unknown.is_empty())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(
        id: &PrimaryId<'_>,
        elements: &[(&'static str, Option<bool>)],
    ) -> Option<&'static str> {
        let look = |(id, verified): &&(&'static str, Option<bool>)| Identifier {
            id: Some(Cow::Borrowed(*id)),
            verified: *verified,
        };
        primary(id, elements, look).map(|(id, _)| *id)
    }

    #[test]
    fn the_one_that_is_named_counts_verified_or_not() {
        let named = PrimaryId::Id("b".into());
        assert_eq!(found(&named, &[("a", Some(true)), ("b", Some(false))]), Some("b"));
        assert_eq!(found(&named, &[("a", Some(true))]), None);
        assert_eq!(found(&PrimaryId::Null, &[("a", Some(true))]), None);
    }

    #[test]
    fn where_none_is_named_an_unverified_one_is_never_taken() {
        for (elements, expected) in [
            (&[("a", Some(false)), ("b", Some(true)), ("c", Some(true))][..], Some("b")),
            (&[("a", None), ("b", Some(true))], Some("b")),
            (&[("a", None)], Some("a")),
            (&[("a", Some(false)), ("b", None)], Some("b")),
            (&[("a", None), ("b", None)], None),
            (&[("a", Some(false))], None),
            (&[], None),
        ] {
            assert_eq!(found(&PrimaryId::Absent, elements), expected, "{elements:?}");
        }
    }
}
