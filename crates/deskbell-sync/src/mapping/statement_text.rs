//! Whether a text is one statement that can run among others in a transaction of ours.

use crate::db::{Dialect, Token, tokens};

/// Commands that end or divide a transaction.
const TRANSACTION_CONTROL: &[&str] =
    &["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"];
/// Commands that change the session or read from it, which others share.
const SESSION: &[&str] = &[
    "set",
    "reset",
    "discard",
    "listen",
    "unlisten",
    "load",
    "deallocate",
    "declare",
    "fetch",
    "move",
    "close",
    "copy",
    "attach",
    "detach",
    "pragma",
];
/// Commands that cannot run inside a transaction.
const OUTSIDE: &[&str] = &["vacuum", "cluster"];
/// What `create`, `alter` and `drop` make or change outside of a transaction.
const OUTSIDE_OBJECTS: &[&str] = &["database", "tablespace", "system", "subscription"];
/// Commands of the schema.
const SCHEMA: &[&str] = &["create", "alter", "drop", "reindex"];
/// The characters of a statement that its title has; what is longer is cut there.
const TITLE_CHARS_MAX: usize = 40;

/// A text that cannot be a statement, and the byte at which that is seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct StatementTextError {
    pub problem: StatementTextProblem,
    /// Where, in bytes from 0.
    pub byte: usize,
}

/// The error in the text of a statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementTextProblem {
    #[error("`sql` has no statement")]
    Empty,
    /// There are several.
    #[error(
        "expected one statement in `sql`, found several; put each in its own \
         [[destination.statement]]: statements of one event are committed together"
    )]
    Several,
    #[error(
        "`{word}` controls the transaction, which Deskbell begins and commits itself; remove it"
    )]
    TransactionControl { word: String },
    #[error(
        "`{word}` uses the session, which the mirror shares; remove it, or put it into a function \
         of the database"
    )]
    Session { word: String },
    #[error("`{word}` cannot run inside a transaction, and Deskbell runs statements in one")]
    Outside { word: String },
    #[error("`{text}` has no value; use a name such as `:id` and set its value in `params`")]
    Placeholder { text: String },
}

/// Checks that the text is one statement, with parameters as `:name` alone, and none that a
/// transaction or a session could not stand. Texts, quoted names and comments are not looked into; a
/// `;` at the end is fine.
///
/// # Errors
/// [`StatementTextError`]: the first thing that is wrong.
pub(crate) fn check_statement(sql: &str, dialect: Dialect) -> Result<(), StatementTextError> {
    let tokens: Vec<_> = tokens(sql, dialect).filter(|(_, token)| *token != Token::Blank).collect();
    let end = tokens.iter().position(|(_, token)| *token == Token::Sign(';'));
    let (statement, rest) = tokens.split_at(end.unwrap_or(tokens.len()));
    let fail = |byte, problem| Err(StatementTextError { problem, byte });
    if statement.is_empty() {
        return fail(0, StatementTextProblem::Empty);
    }
    if let Some((byte, _)) = rest.iter().find(|(_, token)| *token != Token::Sign(';')) {
        return fail(*byte, StatementTextProblem::Several);
    }
    if let Some((byte, problem)) = forbidden(statement) {
        return fail(byte, problem);
    }
    match placeholder(sql, statement, dialect) {
        Some((byte, text)) => fail(byte, StatementTextProblem::Placeholder { text }),
        None => Ok(()),
    }
}

/// Whether the statement selects rows, itself or within.
pub(super) fn selects(sql: &str, dialect: Dialect) -> bool {
    tokens(sql, dialect)
        .any(|(_, token)| token.word().is_some_and(|word| word.eq_ignore_ascii_case("select")))
}

/// The forbidden command, and its byte.
fn forbidden(statement: &[(usize, Token<'_>)]) -> Option<(usize, StatementTextProblem)> {
    let lower = |token: &Token<'_>| token.word().unwrap_or_default().to_ascii_lowercase();
    let words: Vec<_> = statement.iter().map(|(byte, token)| (*byte, lower(token))).collect();
    let (byte, word) = words.first()?.clone();
    let next = words.get(1).map_or("", |(_, word)| word);
    let is = |list: &[&str]| list.contains(&&*word);
    if is(TRANSACTION_CONTROL) {
        return Some((byte, StatementTextProblem::TransactionControl { word }));
    }
    if is(SESSION) {
        return Some((byte, StatementTextProblem::Session { word }));
    }
    if is(OUTSIDE) {
        return Some((byte, StatementTextProblem::Outside { word }));
    }
    let concurrently = words.iter().any(|(_, word)| word == "concurrently");
    if is(SCHEMA) && (concurrently || OUTSIDE_OBJECTS.contains(&next)) {
        let second = if concurrently { "concurrently" } else { next };
        return Some((byte, StatementTextProblem::Outside { word: format!("{word} {second}") }));
    }
    // SQLite's `insert or rollback` ends the transaction where a row conflicts.
    let rolls_back = |pair: &[(usize, String)]| pair[0].1 == "or" && pair[1].1 == "rollback";
    let found = words.windows(2).find(|pair| rolls_back(pair))?;
    let word = "or rollback".to_owned();
    Some((found[0].0, StatementTextProblem::TransactionControl { word }))
}

/// A parameter that is not ours: `$1` on PostgreSQL; `?`, `?1`, `:1`, `@a` and `$a` on SQLite.
fn placeholder(
    sql: &str,
    statement: &[(usize, Token<'_>)],
    dialect: Dialect,
) -> Option<(usize, String)> {
    statement.iter().enumerate().find_map(|(index, (byte, token))| {
        let Token::Sign(sign) = token else { return None };
        // What follows it without a space between.
        let behind = match statement.get(index + 1) {
            Some((start, Token::Word(word))) if *start == byte + sign.len_utf8() => *word,
            _ => "",
        };
        let is_number = behind.starts_with(|c: char| c.is_ascii_digit());
        let is_one = match (dialect, sign) {
            (Dialect::Postgres, '$') => is_number,
            (Dialect::Sqlite, '?') => true,
            (Dialect::Sqlite, '@' | '$') => !behind.is_empty(),
            (Dialect::Sqlite, ':') => is_number,
            _ => false,
        };
        is_one.then(|| (*byte, sql[*byte..byte + sign.len_utf8() + behind.len()].to_owned()))
    })
}

/// The first words of a statement, in one line.
pub(super) fn first_words(sql: &str) -> String {
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(TITLE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(sql: &str, dialect: Dialect) -> String {
        match check_statement(sql, dialect) {
            Ok(()) => String::new(),
            Err(error) => format!("{}: {error}", error.byte),
        }
    }

    #[test]
    fn one_statement_with_names_is_fine() {
        for sql in [
            "insert into t values (:id, 'a;b', $$;commit$$, E'\\';', \"x;\") ; -- done; \n",
            "/* commit; */ update t set a = :a where b = :b;;",
            "with gone as (delete from t returning *) insert into u select * from gone",
            "select f(:id) /* ; */",
            "select data ? 'key', data ?| array['a'], @ -5, foo$1, a::text from t",
            "update \"end\" set \"commit\" = 1",
            "select * from t where e = 'commit'",
            "create table if not exists t (a text)",
            "(select 1)",
        ] {
            assert_eq!(said(sql, Dialect::Postgres), "", "{sql}");
        }
        for sql in ["insert or replace into t values (:a)", "select [a;b], `c;d`, '$1 ?'"] {
            assert_eq!(said(sql, Dialect::Sqlite), "", "{sql}");
        }
    }

    #[test]
    fn what_no_transaction_can_have_is_refused_at_its_place() {
        for (sql, byte, expected) in [
            ("commit", 0, "`commit` controls the transaction"),
            ("  RollBack to savepoint x", 2, "`rollback` controls"),
            ("-- a\nbegin", 5, "`begin` controls"),
            ("/* a */ savepoint x", 8, "`savepoint` controls"),
            ("prepare transaction 'x'", 0, "`prepare` controls"),
            ("set search_path = x", 0, "`set` uses the session"),
            ("listen x", 0, "`listen` uses the session"),
            ("pragma foreign_keys = off", 0, "`pragma` uses the session"),
            ("vacuum", 0, "`vacuum` cannot run inside a transaction"),
            ("create index concurrently i on t (a)", 0, "`create concurrently` cannot run"),
            ("drop database d", 0, "`drop database` cannot run"),
            ("insert or rollback into t values (1)", 7, "`or rollback` controls"),
            ("insert into t values (1); commit", 26, "found several"),
            ("select 1;;select 2", 10, "found several"),
            ("", 0, "no statement"),
            (" -- nothing\n ; ", 0, "no statement"),
        ] {
            for dialect in [Dialect::Postgres, Dialect::Sqlite] {
                let said = said(sql, dialect);
                assert!(said.starts_with(&format!("{byte}: ")), "{sql}: {said}");
                assert!(said.contains(expected), "{sql}: {said}");
            }
        }
        assert_eq!(said("select 1 /* /* */ ; commit -- */", Dialect::Postgres), "");
        assert!(
            said("select 1 /* /* */ ; commit -- */", Dialect::Sqlite).contains("found several")
        );
    }

    #[test]
    fn parameters_have_names() {
        for (sql, dialect, text) in [
            ("insert into t values ($1, :a)", Dialect::Postgres, "$1"),
            ("select $23::int", Dialect::Postgres, "$23"),
            ("insert into t values (?, :a)", Dialect::Sqlite, "?"),
            ("insert into t values (?12)", Dialect::Sqlite, "?12"),
            ("insert into t values (:1)", Dialect::Sqlite, ":1"),
            ("insert into t values (@a)", Dialect::Sqlite, "@a"),
            ("insert into t values ($a)", Dialect::Sqlite, "$a"),
        ] {
            let said = said(sql, dialect);
            assert!(said.contains(&format!("`{text}` has no value")), "{sql}: {said}");
        }
        assert_eq!(said("select arr[1:2]", Dialect::Postgres), "");
    }

    #[test]
    fn first_words_are_one_line() {
        assert_eq!(first_words("select\n  1"), "select 1");
        let long = "insert into audit_events_of_members (organization_id, at) values (1, 2)";
        assert_eq!(first_words(long), "insert into audit_events_of_members (org…");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_checked(sql in "[ab':;\"$?@*/E\\\\\n\\[\\]`(-é1]{0,40}", sqlite: bool) {
            let dialect = if sqlite { Dialect::Sqlite } else { Dialect::Postgres };
            if let Err(error) = check_statement(&sql, dialect) {
                proptest::prop_assert!(sql.is_char_boundary(error.byte));
            }
        }
    }
}
