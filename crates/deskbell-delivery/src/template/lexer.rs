//! The parts of a template, and the tokens of a tag.

/// A part of a template.
#[derive(Debug)]
pub(super) enum Part<'t> {
    /// Text, comments, and what stands in `raw`: as it is.
    Raw(&'t str),
    Tag(Tag<'t>),
    /// A tag without an end.
    Unended {
        line: usize,
    },
}

/// `{{ … }}` or `{% … %}`.
#[derive(Debug)]
pub(super) struct Tag<'t> {
    pub(super) is_block: bool,
    /// `{{`, or `{%-`.
    pub(super) open: &'t str,
    pub(super) body: &'t str,
    /// `}}`, or `-%}`.
    pub(super) close: &'t str,
    pub(super) line: usize,
}

/// A token of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Identifier(&'t str),
    /// A text or a number, as it is written.
    Literal(&'t str),
    Operator(&'t str),
}

const OPERATORS: &[&str] = &[
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "<", ">", "=", ".", ",", ":",
    "|", "(", ")", "[", "]", "{", "}",
];

/// The parts of a template, in order.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let end = end_of_raw(text, at);
        if end > at {
            parts.push(Part::Raw(&text[at..end]));
            line += text[at..end].matches('\n').count();
            at = end;
            continue;
        }
        let Some(tag) = tag(text, at, line) else {
            parts.push(Part::Unended { line });
            break;
        };
        let length = tag.open.len() + tag.body.len() + tag.close.len();
        line += tag.body.matches('\n').count();
        parts.push(Part::Tag(tag));
        at += length;
    }
    parts
}

/// Where the text ends that stands at a place: before a tag that is none of `raw`, or nowhere.
fn end_of_raw(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(found) = text[at..].find('{') {
        at += found;
        let rest = &text[at..];
        if rest.starts_with("{#") {
            at += rest.find("#}").map_or(rest.len(), |end| end + 2);
        } else if let Some(inside) = after_tag(rest, "raw") {
            let mut end = inside;
            at += loop {
                match rest[end..].find("{%") {
                    None => break rest.len(),
                    Some(found) => end += found,
                }
                match after_tag(&rest[end..], "endraw") {
                    Some(length) => break end + length,
                    None => end += 2,
                }
            };
        } else if rest.starts_with("{{") || rest.starts_with("{%") {
            return at;
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length of a tag that is this word alone, where the text begins with it.
fn after_tag(text: &str, word: &str) -> Option<usize> {
    let rest = text.strip_prefix("{%")?;
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest).trim_ascii_start();
    let rest = rest.strip_prefix(word)?.trim_ascii_start();
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest).strip_prefix("%}")?;
    Some(text.len() - rest.len())
}

fn tag(text: &str, at: usize, line: usize) -> Option<Tag<'_>> {
    let rest = &text[at..];
    let is_block = rest.starts_with("{%");
    let end = if is_block { "%}" } else { "}}" };
    let opened = if rest[2..].starts_with(['-', '+']) { 3 } else { 2 };
    let (mut body, mut open_brackets) = (opened, 0_usize);
    while body < rest.len() {
        let here = &rest[body..];
        if open_brackets == 0 {
            let close = here.strip_prefix(['-', '+']).unwrap_or(here);
            if close.starts_with(end) {
                let closed = body + (here.len() - close.len()) + 2;
                let (open, close) = (&rest[..opened], &rest[body..closed]);
                return Some(Tag { is_block, open, body: &rest[opened..body], close, line });
            }
        }
        let (token, length) = token(here)?;
        match token {
            Some(Token::Operator("(" | "[" | "{")) => open_brackets += 1,
            Some(Token::Operator(")" | "]" | "}")) => {
                open_brackets = open_brackets.saturating_sub(1);
            }
            _ => {}
        }
        body += length;
    }
    None
}

/// The tokens of a tag's inside.
pub(super) fn tokens(body: &str) -> Result<Vec<Token<'_>>, &'static str> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    while at < body.len() {
        let (mut next, mut length) = token(&body[at..]).ok_or("invalid character in a tag")?;
        if let (Some(Token::Literal(number)), Some(Token::Operator("."))) = (next, tokens.last())
            && let Some(dot) = number.find('.')
        {
            // `a.0.1` is a member of a member.
            (next, length) = (Some(Token::Literal(&number[..dot])), dot);
        }
        tokens.extend(next);
        at += length;
    }
    Ok(tokens)
}

/// The first token of a text, none for white space, and its length.
fn token(text: &str) -> Option<(Option<Token<'_>>, usize)> {
    let first = text.chars().next()?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if first.is_ascii_whitespace() {
        return Some((None, text.len() - text.trim_ascii_start().len()));
    }
    if first.is_ascii_digit() {
        let length = number(text.as_bytes());
        return Some((Some(Token::Literal(&text[..length])), length));
    }
    if is_word(first) {
        let length = text.find(|c| !is_word(c)).unwrap_or(text.len());
        return Some((Some(Token::Identifier(&text[..length])), length));
    }
    if matches!(first, '\'' | '"') {
        let length = quoted(text, first)?;
        return Some((Some(Token::Literal(&text[..length])), length));
    }
    let operator = OPERATORS.iter().find(|operator| text.starts_with(**operator))?;
    Some((Some(Token::Operator(&text[..operator.len()])), operator.len()))
}

fn number(bytes: &[u8]) -> usize {
    let is_prefixed = bytes.len() > 1 && bytes[0] == b'0' && bytes[1].is_ascii_alphabetic();
    let (mut at, mut has_point) = (0, is_prefixed);
    while let Some(&byte) = bytes.get(at) {
        let after = bytes.get(at + 1).copied().unwrap_or_default();
        let is_sign = matches!(byte, b'+' | b'-')
            && !is_prefixed
            && after.is_ascii_digit()
            && matches!(bytes[at - 1], b'e' | b'E');
        let is_point = byte == b'.' && !has_point && after.is_ascii_digit();
        if !(byte.is_ascii_alphanumeric() || byte == b'_' || is_sign || is_point) {
            break;
        }
        has_point |= is_point;
        at += 1;
    }
    at
}

/// The length of a text with its quotes.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}
