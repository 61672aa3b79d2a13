//! Cuts Rust source into words and signs; comments are dropped, and a literal is one token without its text.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// Stands for every string, character and number.
const LITERAL: &str = "0";

pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let length = token_length(rest, first);
        let (text, after) = rest.split_at(length);
        if !first.is_whitespace() && !is_comment(text) {
            let text = if is_literal(text) { LITERAL } else { text.trim_start_matches("r#") };
            tokens.push(Token { text: text.to_owned(), line });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    tokens
}

fn token_length(rest: &str, first: char) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with("::") {
        return 2;
    }
    if let Some(length) = raw_string(rest) {
        return length;
    }
    let quote = rest.trim_start_matches(['b', 'c']);
    if quote.starts_with('"') && rest.len() - quote.len() < 2 {
        return rest.len() - quote.len() + quoted(quote, '"');
    }
    match first {
        '\'' => character(rest),
        _ if first.is_alphanumeric() || first == '_' => word(rest),
        _ => first.len_utf8(),
    }
}

fn is_comment(text: &str) -> bool {
    text.starts_with("//") || text.starts_with("/*")
}

fn is_literal(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '\'')
        || text.ends_with(['"', '#']) && text.len() > 1
}

fn word(rest: &str) -> usize {
    let raw = if rest.starts_with("r#") { 2 } else { 0 };
    raw + rest[raw..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len() - raw)
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let (step, change) = match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (2, 1),
            [b'*', b'/', ..] => (2, -1),
            _ => (1, 0),
        };
        at += step;
        depth += change;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let opening = rest.trim_start_matches(['b', 'c']).strip_prefix('r')?;
    let text = opening.trim_start_matches('#');
    let hashes = opening.len() - text.len();
    let end = format!("\"{}", "#".repeat(hashes));
    let body = text.strip_prefix('"')?;
    let length = body.find(&end)? + end.len();
    Some(rest.len() - body.len() + length)
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        if c == '\\' {
            characters.next();
        } else if c == quote {
            return at + 1;
        }
    }
    rest.len()
}

/// `'a'` and `'\n'` are characters; `'a` alone is a lifetime.
fn character(rest: &str) -> usize {
    let inner = &rest[1..];
    if inner.starts_with('\\') {
        return quoted(rest, '\'');
    }
    let first = inner.chars().next().map_or(0, char::len_utf8);
    if inner[first..].starts_with('\'') { first + 2 } else { 1 + word(inner) }
}

#[test]
fn words_are_told_from_literals_and_comments() {
    let source = "use a::b; // c::d\n/* e /* f */ g */ \"h\\\"i\" r#\"j\"k\"# 'l' '\\'' &'m r#type b\"n\" 1_000u8";
    let tokens = tokens(source);
    let texts: Vec<_> = tokens.iter().map(|token| token.text.as_str()).collect();
    let expected = ["use", "a", "::", "b", ";", "0", "0", "0", "0", "&", "0", "type", "0", "0"];
    assert_eq!(texts, expected);
    assert_eq!((tokens[4].line, tokens[5].line), (1, 2));
}
