//! The bodies that may have been signed, of which the captured one was made by mistake.

use std::collections::HashSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::causes::{Cause, CauseCode};
use super::json_text::{Escapes, Spacing, rewrite, sorted};

/// The most that is rewritten in every known form.
const REWRITTEN_BYTES_MAX: usize = 256 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A body that may have been signed, and what happened to it if so.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) causes: Vec<Cause>,
}

/// The captured one first; then each known mistake undone.
pub(super) fn candidates(captured: &[u8]) -> Vec<Body> {
    let mut bodies = vec![Body { bytes: captured.to_vec(), causes: Vec::new() }];
    let unwrapped = unwrapped(captured);
    let undone = unwrapped.iter().cloned().chain(bytewise(captured));
    for (bytes, cause) in undone {
        bodies.push(Body { bytes, causes: vec![cause] });
    }
    bodies.extend(rewritten(captured, &[]));
    for (bytes, cause) in unwrapped {
        bodies.extend(rewritten(&bytes, &[cause]));
    }
    let mut seen = HashSet::new();
    bodies.retain(|body| seen.insert(body.bytes.clone()));
    bodies
}

/// What it contains, where it is a text in a text.
fn unwrapped(captured: &[u8]) -> Vec<(Vec<u8>, Cause)> {
    let mut found = Vec::new();
    let trimmed = captured.trim_ascii();
    if let Ok(content) = serde_json::from_slice::<String>(trimmed) {
        let cause =
            CauseCode::BodyEncodedTwice.found("the body is a JSON string of the signed one");
        found.push((content.into_bytes(), cause));
    }
    if let Ok(content) = BASE64_STANDARD.decode(trimmed)
        && !content.is_empty()
    {
        found.push((
            content,
            CauseCode::BodyBase64.found("the body is the base64 of the signed one"),
        ));
    }
    if trimmed.contains(&b'%') && !trimmed.starts_with(b"{") {
        let value =
            trimmed.iter().position(|byte| *byte == b'=').map_or(trimmed, |at| &trimmed[at + 1..]);
        for text in [trimmed, value] {
            let content = percent_decoded(text);
            let cause = CauseCode::BodyPercentEncoded.found("the body is percent-encoded");
            found.push((content, cause));
        }
    }
    found
}

fn bytewise(captured: &[u8]) -> Vec<(Vec<u8>, Cause)> {
    let mut found = Vec::new();
    let mut add =
        |bytes: Vec<u8>, code: CauseCode, what: &str| found.push((bytes, code.found(what)));
    let without = captured.trim_ascii_end();
    let newline = CauseCode::BodyTrailingNewline;
    add(without.to_vec(), newline, "the body ends with white space that was not signed");
    for end in ["\n", "\r\n"] {
        let with = [without, end.as_bytes()].concat();
        add(with, newline, "the signed body ends with a newline, and this one does not");
    }
    if let Ok(text) = std::str::from_utf8(captured) {
        let lf = text.replace("\r\n", "\n");
        let crlf = lf.replace('\n', "\r\n");
        add(lf.into_bytes(), CauseCode::BodyLineEnds, "its line ends became CRLF");
        add(crlf.into_bytes(), CauseCode::BodyLineEnds, "its line ends became LF");
        let read_as_latin = "it was decoded as Latin-1 and written as UTF-8";
        for decode in [latin_1, windows_1252] {
            let bytes: Option<Vec<u8>> = text.chars().map(decode).collect();
            if let Some(bytes) = bytes {
                add(bytes, CauseCode::BodyCharset, read_as_latin);
            }
        }
    } else {
        let text: String = captured.iter().map(|byte| char::from(*byte)).collect();
        add(
            text.into_bytes(),
            CauseCode::BodyCharset,
            "it was decoded as UTF-8 and written as Latin-1",
        );
    }
    if let Some(rest) = captured.strip_prefix(BYTE_ORDER_MARK) {
        let what = "the body begins with a byte order mark";
        add(rest.to_vec(), CauseCode::BodyByteOrderMark, what);
    }
    found
}

/// JSON that something parsed and wrote again.
fn rewritten(bytes: &[u8], before: &[Cause]) -> Vec<Body> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Vec::new() };
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.len() > REWRITTEN_BYTES_MAX {
        return Vec::new();
    }
    let Some(in_order) = rewrite(text, Spacing::Compact, Escapes::Least) else { return Vec::new() };
    let own = forms()
        .find(|(spacing, escapes)| rewrite(text, *spacing, *escapes).as_deref() == Some(text));
    let sorted = sorted(text).filter(|sorted| *sorted != in_order);
    let mut bodies = Vec::new();
    for (source, is_sorted) in [(Some(in_order), false), (sorted, true)] {
        let Some(source) = source else { continue };
        for (spacing, escapes) in forms() {
            let Some(signed) = rewrite(&source, spacing, escapes) else { continue };
            let mut causes = before.to_vec();
            if is_sorted {
                let what = "its members are in another order than in the signed body";
                causes.push(CauseCode::BodyKeyOrder.found(what));
            }
            causes.extend(differences(text, own, (spacing, escapes)));
            let with_newline = format!("{signed}\n").into_bytes();
            bodies.push(Body { bytes: signed.into_bytes(), causes: causes.clone() });
            let what = "the signed body ends with a newline, and this one does not";
            causes.push(CauseCode::BodyTrailingNewline.found(what));
            bodies.push(Body { bytes: with_newline, causes });
        }
    }
    bodies
}

fn forms() -> impl Iterator<Item = (Spacing, Escapes)> {
    Spacing::ALL.into_iter().flat_map(|spacing| Escapes::ALL.map(|escapes| (spacing, escapes)))
}

/// How the captured text differs from one in this form.
fn differences(
    captured: &str,
    own: Option<(Spacing, Escapes)>,
    signed: (Spacing, Escapes),
) -> Vec<Cause> {
    let mut causes = Vec::new();
    let is_spaced_alike = own.is_some_and(|(spacing, _)| spacing == signed.0);
    if !is_spaced_alike {
        let what = "its white space is not that of the signed body";
        causes.push(CauseCode::BodySpacing.found(what));
    }
    // In its own spacing, the escapes alone make the difference.
    let alike = own.and_then(|(spacing, _)| rewrite(captured, spacing, signed.1));
    let in_form = rewrite(captured, signed.0, signed.1);
    let is_escaped_alike = match alike {
        Some(alike) => alike == captured,
        None => in_form.as_deref() == rewrite(captured, signed.0, Escapes::Least).as_deref(),
    };
    if !is_escaped_alike {
        let what = r"its strings are escaped in another way than in the signed body (such as & for \u0026)";
        causes.push(CauseCode::BodyEscapes.found(what));
    }
    causes
}

fn latin_1(character: char) -> Option<u8> {
    u8::try_from(u32::from(character)).ok()
}

/// Latin-1, and the characters that Windows has from 0x80 on.
fn windows_1252(character: char) -> Option<u8> {
    const UPPER: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    let at = UPPER.chars().position(|known| known == character);
    at.and_then(|at| u8::try_from(0x80 + at).ok()).or_else(|| latin_1(character))
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = hex.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (*first, byte) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                rest = &after[2..];
                continue;
            }
            (b'+', _) => decoded.push(b' '),
            (other, _) => decoded.push(other),
        }
        rest = after;
    }
    decoded
}
