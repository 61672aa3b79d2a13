//! `:name` in SQL: found outside of texts, quoted names, comments and casts.

use crate::db::Dialect;

/// A statement whose parameters have numbers instead of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered {
    /// The text between the parameters: one piece more than there are uses.
    pieces: Vec<String>,
    /// For each use, the index of its name.
    uses: Vec<usize>,
    /// The names, each once, in order of their first use.
    pub(crate) names: Vec<String>,
}

/// A part of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
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

/// The parts of a statement, each with the byte that it begins at.
pub(super) fn tokens(sql: &str, dialect: Dialect) -> impl Iterator<Item = (usize, Token<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        let (length, token) = token(&sql[at..], dialect)?;
        at += length;
        Some((start, token))
    })
}

impl Numbered {
    pub(crate) fn parse(sql: &str, dialect: Dialect) -> Self {
        let mut numbered = Self { pieces: Vec::new(), uses: Vec::new(), names: Vec::new() };
        let mut piece_start = 0;
        for (at, token) in tokens(sql, dialect) {
            let Token::Parameter(name) = token else { continue };
            numbered.pieces.push(sql[piece_start..at].to_owned());
            piece_start = at + 1 + name.len();
            let index = numbered.index(name);
            numbered.uses.push(index);
        }
        numbered.pieces.push(sql[piece_start..].to_owned());
        numbered
    }

    /// The statement with what `write` makes of each parameter's number, from 1.
    pub(crate) fn sql(&self, write: impl Fn(usize) -> String) -> String {
        let mut sql = String::new();
        for (piece, index) in self.pieces.iter().zip(&self.uses) {
            sql.push_str(piece);
            sql.push_str(&write(index + 1));
        }
        sql + self.pieces.last().map_or("", String::as_str)
    }

    fn index(&mut self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(sql: &str) -> (String, Vec<String>) {
        let numbered = Numbered::parse(sql, Dialect::Postgres);
        (numbered.sql(|number| format!("${number}")), numbered.names)
    }

    #[test]
    fn names_become_numbers_in_order_of_their_first_use() {
        let (sql, names) = numbered("insert into t values (:org, :user, :org, :_x1)");
        assert_eq!(sql, "insert into t values ($1, $2, $1, $3)");
        assert_eq!(names, ["org", "user", "_x1"]);
    }

    #[test]
    fn what_only_looks_like_a_parameter_stays() {
        for sql in [
            "select ':a', 'it''s :a', \":b\", \"x\"\":b\"",
            "select a::text, b:: int -- :c\n",
            "select 1 /* :a /* :b */ :c */",
            "select $$ :a $$, $tag$ :a $$ :b $tag$",
            "select E'\\':a', arr[1:2], '12:30:00'",
            "select 'unfinished :a",
            "select /* unfinished :a",
            "select $x$ unfinished :a",
            "select ä:1",
        ] {
            assert_eq!(numbered(sql), (sql.to_owned(), Vec::new()), "{sql}");
        }
    }

    #[test]
    fn a_cast_of_a_parameter_is_a_parameter() {
        assert_eq!(numbered("select :id::uuid").0, "select $1::uuid");
        assert_eq!(numbered("select (:id)").0, "select ($1)");
        assert_eq!(numbered("update t set a=:a,b=:b").0, "update t set a=$1,b=$2");
    }

    #[test]
    fn sqlite_quotes_otherwise() {
        let names = |sql| Numbered::parse(sql, Dialect::Sqlite).names;
        assert_eq!(names("select [:a], `:b`, '\\', :c /* /* :d */ , :e"), ["c", "e"]);
        assert_eq!(names("select $$ , :a, $$, arr[1]"), ["a"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_parsed(sql in "[ab':\"$*/E\\\\\n\\[\\]`-é1]{0,40}", sqlite: bool) {
            let dialect = if sqlite { Dialect::Sqlite } else { Dialect::Postgres };
            let numbered = Numbered::parse(&sql, dialect);
            let whole = numbered.sql(|number| format!(":{}", numbered.names[number - 1]));
            proptest::prop_assert_eq!(whole, sql);
        }
    }
}
