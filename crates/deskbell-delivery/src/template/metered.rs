//! A template's text with the operators counted: `a ~ b` becomes `(__counted(a) ~ __counted(b))`.
//!
//! The engine counts instructions alone, and one instruction may double a text or search a list of
//! 100,000 elements. What it has no hook for is written into the template here: each value that an
//! operator goes through is charged for first, so that no text can outgrow the meter whatever a loop does
//! with it. The text has been compiled by the engine before; what is not understood here is refused.

use super::lexer::{self, Part, Tag};
use super::meter::{COUNTED, EACH, INDEXED, TIMES};

mod expression;

use expression::Parser;

/// The longest tag, in bytes: a template with a longer one is refused at start.
const TAG_BYTES_MAX: usize = 64 << 10;

/// Why a template cannot be metered, with the line of the tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotMetered {
    pub(super) line: usize,
    pub(super) reason: &'static str,
}

/// The template with its operators counted. Lines stay where they are.
pub(super) fn metered(text: &str) -> Result<String, NotMetered> {
    let mut pieces: Vec<String> = Vec::new();
    // For each open loop, the piece that says how much its body writes, and how much that is so far.
    let mut loops: Vec<(usize, usize)> = Vec::new();
    for part in lexer::parts(text) {
        match part {
            Part::Raw(raw) => {
                if let Some((_, bytes)) = loops.last_mut() {
                    *bytes += raw.len();
                }
                pieces.push(raw.to_owned());
            }
            Part::Unended { line } => {
                return Err(NotMetered { line, reason: "a tag is not closed" });
            }
            Part::Tag(tag) => {
                let refused = |reason| NotMetered { line: tag.line, reason };
                if tag.body.len() > TAG_BYTES_MAX {
                    return Err(refused("a tag is longer than 65536 bytes"));
                }
                let body = statement(&tag).map_err(refused)?;
                pieces.push(tag.open.to_owned());
                match body {
                    Body::Plain(body) => pieces.push(body),
                    Body::Loop { before, after } => {
                        pieces.push(before);
                        loops.push((pieces.len(), 0));
                        pieces.extend([String::new(), after]);
                    }
                    Body::LoopEnd(body) => {
                        pieces.push(body);
                        if let Some((piece, bytes)) = loops.pop() {
                            pieces[piece] = bytes.to_string();
                        }
                    }
                }
                pieces.push("\n".repeat(tag.body.matches('\n').count()));
                pieces.push(tag.close.to_owned());
            }
        }
    }
    Ok(pieces.concat())
}

enum Body {
    Plain(String),
    /// A loop's head, in two: what its body writes at each element stands between.
    Loop {
        before: String,
        after: String,
    },
    LoopEnd(String),
}

/// The inside of a tag, counted.
fn statement(tag: &Tag<'_>) -> Result<Body, &'static str> {
    let tokens = lexer::tokens(tag.body)?;
    let mut parser = Parser::new(&tokens);
    if !tag.is_block {
        let expression = parser.expression()?;
        parser.end()?;
        return Ok(Body::Plain(format!(" {expression} ")));
    }
    let keyword = parser.identifier().unwrap_or_default();
    let body = match keyword {
        "for" => return for_head(parser),
        "endfor" => return Ok(Body::LoopEnd(tag.body.to_owned())),
        "set" => assignments(&mut parser, false)?,
        "with" => assignments(&mut parser, true)?,
        "if" | "elif" | "autoescape" | "filter" | "do" => parser.expression()?.text,
        "else" | "endif" | "endset" | "endwith" | "endautoescape" | "endfilter" => {
            return Ok(Body::Plain(tag.body.to_owned()));
        }
        _ => return Err("unknown statement"),
    };
    parser.end()?;
    Ok(Body::Plain(format!(" {keyword} {body} ")))
}

fn for_head(mut parser: Parser<'_, '_>) -> Result<Body, &'static str> {
    let target = parser.until("in");
    let elements = parser.without_if()?;
    let before = format!(" for {target} in {EACH}({elements}, ");
    let condition = match parser.accept("if") {
        true => format!("if {} ", parser.expression()?),
        false => String::new(),
    };
    if parser.accept("recursive") {
        return Err("recursive loops are not supported");
    }
    parser.end()?;
    Ok(Body::Loop { before, after: format!(") {condition}") })
}

/// `a = x`, in `with` several with commas between; or the head of a block that is set.
fn assignments(parser: &mut Parser<'_, '_>, is_with: bool) -> Result<String, &'static str> {
    let mut all = Vec::new();
    loop {
        let Some(target) = parser.target() else {
            // `{% set x %}` and `{% set x | upper %}`.
            all.push(parser.expression()?.text);
            break;
        };
        let mut values = vec![parser.expression()?.text];
        let mut is_list = false;
        while !is_with && parser.accept(",") {
            is_list = true;
            if parser.is_at_end() {
                break;
            }
            values.push(parser.expression()?.text);
        }
        let values = if is_list { format!("[{}]", values.join(", ")) } else { values.concat() };
        all.push(format!("{target} = {COUNTED}({values})"));
        if !is_with || !parser.accept(",") {
            break;
        }
    }
    Ok(all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_counted() {
        let c = |text: &str| text.replace('§', COUNTED);
        for (text, expected) in [
            ("{{ user.first_name }}", "{{ user.first_name }}"),
            ("{{ a ~ b.c[0] ~ 'x' }}", "{{ (§(a) ~ §(__indexed(b.c)[0]) ~ 'x') }}"),
            ("{{- a + 1 * b -}}", "{{- (§(a) + §(__times(1, b))) -}}"),
            ("{{ a if b == 'x' else c }}", "{{ (a if (§(b) == 'x') else c) }}"),
            ("{{ not a in b and c is none }}", "{{ ((not (§(a) in §(b))) and c is none) }}"),
            ("{{ a is eq b|upper }}", "{{ §(a) is eq(§(b))|upper }}"),
            ("{{ -a|abs }}", "{{ (-a)|abs }}"),
            ("{{ a[1:] }}", "{{ §(a)[1:] }}"),
            ("{{ x|default('a', true)|join(', ') }}", "{{ x|default('a', true)|join(', ') }}"),
            ("{{ dict(a=b, *c) }}", "{{ dict(a=§(b), *§(c)) }}"),
            ("{{ {'a': [b, (c, d)]} }}", "{{ {'a': [b, (c, d)]} }}"),
            ("{% set a = b ~ c %}", "{% set a = §((§(b) ~ §(c))) %}"),
            ("{% set a, b = 1, c %}", "{% set a, b = §([1, c]) %}"),
            ("{% set ns.a = b %}", "{% set ns.a = §(b) %}"),
            ("{% set a | upper %}x{% endset %}", "{% set a|upper %}x{% endset %}"),
            ("{% with a = b, c = 1 %}{% endwith %}", "{% with a = §(b), c = §(1) %}{% endwith %}"),
            (
                "{% for k, v in a|items if v %}ab{{ v }}cd{% else %}e{% endfor %}",
                "{% for k, v in __each(a|items, 5) if v %}ab{{ v }}cd{% else %}e{% endfor %}",
            ),
            (
                "{% raw %}{{ a ~ b }}{% endraw %}{# {{ #}",
                "{% raw %}{{ a ~ b }}{% endraw %}{# {{ #}",
            ),
            ("{{ a ~\n b }}\n{{ '}}' }}", "{{ (§(a) ~ §(b)) \n}}\n{{ '}}' }}"),
            (
                "{%- if a <= b %}x{% elif not c %}{% endif -%}",
                "{%- if (§(a) <= §(b)) %}x{% elif (not c) %}{% endif -%}",
            ),
        ] {
            assert_eq!(metered(text), Ok(c(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (text, line, reason) in [
            ("\n{% for x in y recursive %}{% endfor %}", 2, "recursive loops are not supported"),
            ("{% include 'x' %}", 1, "unknown statement"),
            ("{{ a b }}", 1, "unexpected text at the end of a tag"),
            ("{{ a", 1, "a tag is not closed"),
            ("{{ a ~ }}", 1, "expected a value"),
        ] {
            assert_eq!(metered(text), Err(NotMetered { line, reason }), "{text}");
        }
        let long = format!("{{{{ '{}' }}}}", "x".repeat(TAG_BYTES_MAX));
        assert_eq!(metered(&long).unwrap_err().reason, "a tag is longer than 65536 bytes");
    }
}
