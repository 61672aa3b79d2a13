//! Lists of addresses, as a template renders them.

use lettre::Address;
use lettre::message::Mailbox;

/// The addresses of a list with commas between them; empty places are left out.
///
/// # Errors
/// How many of them are no addresses. They are people's: they are not repeated.
pub(super) fn list(text: &str) -> Result<Vec<Mailbox>, BadAddresses> {
    let parts = text.split(',').map(str::trim).filter(|part| !is_blank(part));
    let (mut mailboxes, mut bad) = (Vec::new(), 0);
    for part in parts {
        match mailbox(part) {
            Some(mailbox) => mailboxes.push(mailbox),
            None => bad += 1,
        }
    }
    if bad == 0 { Ok(mailboxes) } else { Err(BadAddresses { bad }) }
}

/// Parts of a list that are no addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadAddresses {
    pub(super) bad: usize,
}

/// `Name <>` is what is left of a person without an address.
fn is_blank(part: &str) -> bool {
    part.is_empty() || part.strip_suffix('>').is_some_and(|part| part.trim_end().ends_with('<'))
}

fn mailbox(part: &str) -> Option<Mailbox> {
    let (name, address) = match part.strip_suffix('>').and_then(|part| part.rsplit_once('<')) {
        Some((name, address)) => (name.trim().trim_matches('"').trim(), address.trim()),
        None => ("", part),
    };
    let address: Address = address.parse().ok().filter(|_| is_one_word(address))?;
    let words = name.split(|c: char| c.is_whitespace() || c.is_control());
    let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    Some(Mailbox::new(Some(name).filter(|name| !name.is_empty()), address))
}

/// Quoted addresses with spaces or brackets in them are not worth what they can do.
fn is_one_word(address: &str) -> bool {
    !address.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"(),;:\\".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<Vec<String>, usize> {
        list(text)
            .map(|list| list.iter().map(ToString::to_string).collect())
            .map_err(|error| error.bad)
    }

    #[test]
    fn lists() {
        let ok = |list: &[&str]| Ok(list.iter().map(|&text| text.to_owned()).collect());
        for (text, expected) in [
            ("", ok(&[])),
            (" , Ada Lovelace <> ,", ok(&[])),
            ("ada@example.com", ok(&["ada@example.com"])),
            ("Ada <ada@example.com>, b@c.de", ok(&["Ada <ada@example.com>", "b@c.de"])),
            ("\"Ada, L\" <ada@example.com>", Err(1)),
            ("\"Ada\" <ada@example.com>", ok(&["Ada <ada@example.com>"])),
            ("Zoë 🦊 <zoe@exämple.com>", ok(&["Zoë 🦊 <zoe@exämple.com>"])),
            ("a@b.c@d.e <x@y.z>", ok(&["\"a@b.c@d.e\" <x@y.z>"])),
            ("a\r\nBcc: x@y.z <a@b.c>", ok(&["\"a Bcc: x@y.z\" <a@b.c>"])),
            ("a@b.c\r\nBcc: x@y.z", Err(1)),
            ("nobody, a@b.c", Err(1)),
            ("<a@b.c><d@e.f>", ok(&["\"<a@b.c>\" <d@e.f>"])),
            ("\"a b\"@c.de", Err(1)),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }
}
