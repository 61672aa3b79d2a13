//! The tags of a template, looked through for what the engine does not say, or says without a line.

use super::lexer::{Part, Tag, Token, parts, tokens};

/// The line of the first comparison with `none`: in this language what is missing is undefined, and
/// undefined is not equal to `none`.
pub(super) fn line_of_comparison(text: &str) -> Option<usize> {
    line_of(text, |tokens| {
        tokens.windows(2).any(|pair| {
            matches!(pair, [Token::Operator("==" | "!="), Token::Identifier("none" | "None")])
        })
    })
}

/// The line of the first tag that uses this path, not as a field of something.
pub(super) fn line_of_use(text: &str, path: &str) -> Option<usize> {
    const DOT: Token<'_> = Token::Operator(".");
    let names = path.split('.').flat_map(|name| [DOT, Token::Identifier(name)]);
    let path: Vec<_> = names.skip(1).collect();
    line_of(text, |tokens| {
        let is_field = |at: usize| at > 0 && tokens[at - 1] == DOT;
        tokens.windows(path.len()).enumerate().any(|(at, used)| used == path && !is_field(at))
    })
}

fn line_of(text: &str, is_wanted: impl Fn(&[Token<'_>]) -> bool) -> Option<usize> {
    let is_found = |tag: &Tag<'_>| tokens(tag.body).is_ok_and(|tokens| is_wanted(&tokens));
    parts(text).into_iter().find_map(|part| match part {
        Part::Tag(tag) if is_found(&tag) => Some(tag.line),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_where_it_is_used() {
        for (text, wanted) in [
            ("{{ usr }}", Some(1)),
            ("usr\n{{ user.usr }} {{ \"usr\" }} {{ usr_name }}\n{% if usr.id %}", Some(3)),
            ("usr", None),
            ("{# usr #}{{ x }}", None),
        ] {
            assert_eq!(line_of_use(text, "usr"), wanted, "{text}");
        }
    }
}
