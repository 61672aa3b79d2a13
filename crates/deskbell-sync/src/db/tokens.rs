//! The parts of an SQL text: what stands in texts, quoted names and comments is told from the rest.

use super::dialect::Dialect;

/// A part of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// White space or a comment.
    Blank,
    /// A text, a quoted name, or the sign of a cast.
    Opaque,
    /// A name, a number or a word of SQL.
    Word(&'a str),
    /// `:name`, without the colon.
    Parameter(&'a str),
    Sign(char),
}

impl<'a> Token<'a> {
    pub(crate) fn word(self) -> Option<&'a str> {
        if let Self::Word(word) = self { Some(word) } else { None }
    }
}

/// The parts of a statement, each with the byte that it begins at.
pub(crate) fn tokens(sql: &str, dialect: Dialect) -> impl Iterator<Item = (usize, Token<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        let (length, token) = token(&sql[at..], dialect)?;
        at += length;
        Some((start, token))
    })
}

/// The first token, and its length.
fn token(rest: &str, dialect: Dialect) -> Option<(usize, Token<'_>)> {
    let first = rest.chars().next()?;
    if let Some(length) = blank(rest, dialect) {
        return Some((length, Token::Blank));
    }
    if let Some(length) = opaque(rest, dialect) {
        return Some((length, Token::Opaque));
    }
    if let Some(name) = parameter(rest) {
        return Some((1 + name.len(), Token::Parameter(name)));
    }
    if first.is_alphanumeric() || first == '_' {
        let length = word(rest);
        return Some((length, Token::Word(&rest[..length])));
    }
    Some((first.len_utf8(), Token::Sign(first)))
}

fn blank(rest: &str, dialect: Dialect) -> Option<usize> {
    if rest.starts_with("--") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(comment(rest, dialect == Dialect::Postgres));
    }
    let end = rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
    (end > 0).then_some(end)
}

fn parameter(rest: &str) -> Option<&str> {
    let after = rest.strip_prefix(':')?;
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
    let starts_well = after.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic());
    starts_well.then(|| &after[..end])
}

/// The length of the text at the start that has no parameters in it.
fn opaque(rest: &str, dialect: Dialect) -> Option<usize> {
    if rest.starts_with("::") {
        return Some(2);
    }
    match (rest.as_bytes()[0], dialect) {
        (b'E' | b'e', Dialect::Postgres) if rest[1..].starts_with('\'') => {
            Some(1 + quoted(&rest[1..], '\'', true))
        }
        (b'\'', _) => Some(quoted(rest, '\'', false)),
        (b'"', _) => Some(quoted(rest, '"', false)),
        (b'$', Dialect::Postgres) => dollar_quoted(rest),
        (b'`', Dialect::Sqlite) => Some(quoted(rest, '`', false)),
        (b'[', Dialect::Sqlite) => Some(rest.find(']').map_or(rest.len(), |end| end + 1)),
        _ => None,
    }
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !(c == '_' || c == '$' || c.is_alphanumeric())).unwrap_or(rest.len())
}

fn quoted(rest: &str, quote: char, escapes: bool) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        if escapes && char == '\\' {
            chars.next();
        } else if char == quote {
            match chars.peek() {
                Some((_, next)) if *next == quote => drop(chars.next()),
                _ => return at + quote.len_utf8(),
            }
        }
    }
    rest.len()
}

fn comment(rest: &str, nests: bool) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") && (nests || depth == 0) {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// `$tag$ … $tag$`.
fn dollar_quoted(rest: &str) -> Option<usize> {
    let tag_end = 1 + rest[1..].find('$')?;
    let tag = &rest[..=tag_end];
    let inner = &tag[1..tag_end];
    let is_tag = !inner.starts_with(|c: char| c.is_ascii_digit())
        && inner.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    if !is_tag {
        return None;
    }
    let body = &rest[tag.len()..];
    Some(body.find(tag).map_or(rest.len(), |end| 2 * tag.len() + end))
}
