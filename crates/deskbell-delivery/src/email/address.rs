//! Lists of addresses, as a template renders them and RFC 5322 has them.

use lettre::Address;
use lettre::message::Mailbox;

use crate::words::one_line;

/// The addresses of a list with commas between them; empty places are left out. A comma between quotes,
/// in a comment, or in a name whose address follows parts nothing.
///
/// # Errors
/// How many of them are no addresses. They are people's: they are not repeated.
pub(super) fn list(text: &str) -> Result<Vec<Mailbox>, BadAddresses> {
    let (mut mailboxes, mut bad) = (Vec::new(), 0);
    for part in parts(text) {
        match mailbox(&part) {
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

/// The parts of a list. `Acme, Inc. <hello@acme.example>` is one: a name may have commas in it where it
/// is plain that no address is meant.
fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut name = String::new();
    for part in split(text) {
        let part = part.trim();
        if part.is_empty() || is_blank(part) {
            continue;
        }
        let is_name = !part.contains('@');
        let has_address = part.ends_with('>');
        match (name.is_empty(), is_name, has_address) {
            (_, true, _) if name.is_empty() => part.clone_into(&mut name),
            (_, true, _) => name = format!("{name}, {part}"),
            (false, false, true) => parts.push(format!("{}, {part}", std::mem::take(&mut name))),
            (false, false, false) => parts.extend([std::mem::take(&mut name), part.to_owned()]),
            (true, false, _) => parts.push(part.to_owned()),
        }
    }
    parts.extend(Some(name).filter(|name| !name.is_empty()));
    parts
}

/// Split at commas, but not inside of quotes and comments that end.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = match c {
            '"' => end_of_quoted(rest).unwrap_or(1),
            '(' => end_of_comment(rest).unwrap_or(1),
            ',' => {
                parts.push(&text[start..at]);
                start = at + 1;
                1
            }
            c => c.len_utf8(),
        };
        at += length;
    }
    parts.push(&text[start..]);
    parts
}

/// The length of a quoted text at the beginning, with its quotes.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The length of a comment at the beginning: one that ends before anything that is an address.
fn end_of_comment(text: &str) -> Option<usize> {
    let end = text.find([')', '<', '@'])?;
    text[end..].starts_with(')').then_some(end + 1)
}

/// `Name <>` is what is left of a person without an address.
fn is_blank(part: &str) -> bool {
    part.strip_suffix('>').is_some_and(|part| part.trim_end().ends_with('<'))
}

fn mailbox(part: &str) -> Option<Mailbox> {
    let (name, address) = match part.strip_suffix('>').and_then(|part| part.rsplit_once('<')) {
        Some((name, address)) => (phrase(name), address.trim()),
        None => with_comment(part),
    };
    let address = of_ascii_domain(address).filter(|address| is_one_word(address))?;
    let address: Address = address.parse().ok()?;
    Some(Mailbox::new(Some(name).filter(|name| !name.is_empty()), address))
}

/// `hello@acme.example (Acme)`, as names were written before they stood in front.
fn with_comment(part: &str) -> (String, &str) {
    match part.strip_suffix(')').and_then(|part| part.split_once('(')) {
        Some((address, name)) => (phrase(name), address.trim()),
        None => (String::new(), part),
    }
}

/// A name: what stands between quotes without them, in one line.
fn phrase(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let quoted = if c == '"' { end_of_quoted(rest) } else { None };
        let length = quoted.unwrap_or(c.len_utf8());
        match quoted {
            Some(end) => unescape(&rest[1..end - 1], &mut text),
            None if c == '"' => {}
            None => text.push(c),
        }
        rest = &rest[length..];
    }
    one_line(&text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unescape(quoted: &str, text: &mut String) {
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
}

/// With the domain as every mail server and every API takes it: `exämple.com` is `xn--exmple-cua.com`.
fn of_ascii_domain(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    if domain.is_ascii() {
        return Some(address.to_owned());
    }
    Some(format!("{local}@{}", idna::domain_to_ascii(domain).ok()?))
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
            ("\"Ada, L\" <ada@example.com>", ok(&["\"Ada, L\" <ada@example.com>"])),
            ("Ada, L <ada@example.com>", ok(&["\"Ada, L\" <ada@example.com>"])),
            (
                "Acme, Inc., Ltd. <a@b.c>, \"B, C\" <d@e.f>,g@h.i",
                ok(&["\"Acme, Inc., Ltd.\" <a@b.c>", "\"B, C\" <d@e.f>", "g@h.i"]),
            ),
            (r#""Say \"hi\", \\ <x@y.z>" <a@b.c>"#, ok(&[r#""Say \"hi\", \\ <x@y.z>" <a@b.c>"#])),
            ("\"Ada\" \"L\"  Byron <a@b.c>", ok(&["Ada L Byron <a@b.c>"])),
            ("\"Ada <a@b.c>", ok(&["Ada <a@b.c>"])),
            ("\"a@b.c, d@e.f", Err(1)),
            ("Acme (EU, Inc.) <a@b.c>, d@e.f", ok(&["\"Acme (EU, Inc.)\" <a@b.c>", "d@e.f"])),
            ("Sad :( <a@b.c>, d@e.f", ok(&["\"Sad :(\" <a@b.c>", "d@e.f"])),
            ("a@b.c (Acme, Inc.), d@e.f", ok(&["\"Acme, Inc.\" <a@b.c>", "d@e.f"])),
            ("Acme hello@acme.example", Err(1)),
            ("hello", Err(1)),
            ("hello, world", Err(1)),
            ("Ada <> , a@b.c", ok(&["a@b.c"])),
            ("\"Ada\" <ada@example.com>", ok(&["Ada <ada@example.com>"])),
            ("Zoë 🦊 <zoe@exämple.com>", ok(&["Zoë 🦊 <zoe@xn--exmple-cua.com>"])),
            ("zoë@bücher.example", ok(&["zoë@xn--bcher-kva.example"])),
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
