//! Where the parts of valid JSON text end.

/// Where the value that starts at `start` ends.
#[must_use]
pub fn end_of_value(bytes: &[u8], start: usize) -> usize {
    match bytes.get(start) {
        Some(b'"') => end_of_string(bytes, start),
        Some(b'{' | b'[') => end_of_container(bytes, start),
        _ => skip_while(bytes, start, |byte| {
            !is_space(byte) && !matches!(byte, b',' | b':' | b'}' | b']')
        }),
    }
}

fn end_of_container(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}

/// Where the string that starts at `start` ends, its closing quote included.
#[must_use]
pub fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

/// The first index from `from` on whose byte is not to be skipped.
#[must_use]
pub fn skip_while(bytes: &[u8], from: usize, skip: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().position(|byte| !skip(*byte)).unwrap_or(rest.len())
}

/// Whether a byte is JSON's white space.
#[must_use]
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
