//! `:name` in SQL: found outside of texts, quoted names, comments and casts.

use crate::db::{Dialect, Token, tokens};

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
