//! An expression with its operators counted: the grammar of the engine, from the loosest operator to the
//! tightest.

use std::fmt;

use super::{COUNTED, INDEXED, TIMES};
use crate::template::lexer::Token;

type Counted = Result<Piece, &'static str>;

/// Words that are no names.
const RESERVED: &[&str] = &["if", "else", "or", "and", "not", "in", "is", "recursive"];
/// Names of values.
const CONSTANTS: &[&str] = &["true", "True", "false", "False", "none", "None"];
const COMPARISONS: &[&str] = &["==", "!=", "<", "<=", ">", ">="];
/// Tests without an argument that go through their value.
const LONG_TESTS: &[&str] = &["lower", "upper"];

/// A part of an expression, counted.
pub(super) struct Piece {
    pub(super) text: String,
    /// Whether it is a text or a number that stands in the template: it costs what it is long.
    is_literal: bool,
}

pub(super) struct Parser<'p, 't> {
    tokens: &'p [Token<'t>],
}

impl<'p, 't> Parser<'p, 't> {
    pub(super) fn new(tokens: &'p [Token<'t>]) -> Self {
        Self { tokens }
    }

    /// Everything must have been read.
    pub(super) fn end(&self) -> Result<(), &'static str> {
        if self.is_at_end() { Ok(()) } else { Err("unexpected text at the end of a tag") }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.tokens.is_empty()
    }

    /// A name or a keyword.
    pub(super) fn identifier(&mut self) -> Option<&'t str> {
        let (Token::Identifier(name), rest) = self.tokens.split_first()? else { return None };
        self.tokens = rest;
        Some(name)
    }

    /// Takes this keyword or operator, where it is next.
    pub(super) fn accept(&mut self, wanted: &str) -> bool {
        let is_next = self.is_next(wanted);
        if is_next {
            self.tokens = &self.tokens[1..];
        }
        is_next
    }

    /// Takes everything up to this keyword, and the keyword.
    pub(super) fn until(&mut self, keyword: &str) -> String {
        let mut text = String::new();
        while let Some((first, rest)) = self.tokens.split_first() {
            self.tokens = rest;
            if matches!(first, Token::Identifier(name) if *name == keyword) {
                break;
            }
            let is_comma = matches!(first, Token::Operator(","));
            text.push_str(written(first));
            text.push_str(if is_comma { " " } else { "" });
        }
        text
    }

    /// Takes `name =`, or `a, b =`, where that is next: what is assigned to.
    pub(super) fn target(&mut self) -> Option<String> {
        let is_part = |token: &&Token<'_>| {
            matches!(token, Token::Identifier(_) | Token::Operator("," | "." | "(" | ")"))
        };
        let length = self.tokens.iter().take_while(is_part).count();
        if !matches!(self.tokens.get(length), Some(Token::Operator("="))) {
            return None;
        }
        let mut target = Parser::new(&self.tokens[..length]);
        self.tokens = &self.tokens[length + 1..];
        Some(target.until("="))
    }

    fn is_next(&self, wanted: &str) -> bool {
        match self.tokens.first() {
            Some(Token::Identifier(text) | Token::Operator(text)) => *text == wanted,
            _ => false,
        }
    }

    fn expect(&mut self, wanted: &str) -> Result<(), &'static str> {
        if self.accept(wanted) { Ok(()) } else { Err("a bracket is not closed") }
    }

    /// Any expression.
    pub(super) fn expression(&mut self) -> Counted {
        let mut piece = self.without_if()?;
        while self.accept("if") {
            let condition = self.without_if()?;
            piece = Piece::of(match self.accept("else") {
                true => format!("({piece} if {condition} else {})", self.expression()?),
                false => format!("({piece} if {condition})"),
            });
        }
        Ok(piece)
    }

    /// An expression without `if` at its top, as it stands in a loop's head.
    pub(super) fn without_if(&mut self) -> Counted {
        self.chain(&["or"], |parser| parser.chain(&["and"], Self::not, Piece::plain), Piece::plain)
    }

    fn not(&mut self) -> Counted {
        if self.accept("not") {
            return Ok(Piece::of(format!("(not {})", self.not()?)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Counted {
        let first = self.sum()?;
        let mut text = String::new();
        loop {
            let operator = match COMPARISONS.iter().find(|operator| self.accept(operator)) {
                Some(operator) => operator,
                None if self.accept("in") => "in",
                None if self.is_next("not") && self.accept("not") => {
                    self.expect("in")?;
                    "not in"
                }
                None => break,
            };
            text.push_str(&format!(" {operator} {}", self.sum()?.counted()));
        }
        if text.is_empty() {
            Ok(first)
        } else {
            Ok(Piece::of(format!("({}{text})", first.counted())))
        }
    }

    fn sum(&mut self) -> Counted {
        self.chain(&["+", "-"], Self::concatenation, Piece::counted)
    }

    fn concatenation(&mut self) -> Counted {
        self.chain(&["~"], Self::product, Piece::counted)
    }

    fn product(&mut self) -> Counted {
        let mut piece = self.power()?;
        loop {
            if self.accept("*") {
                piece = Piece::of(format!("{TIMES}({piece}, {})", self.power()?));
            } else if let Some(operator) = ["//", "/", "%"].into_iter().find(|o| self.accept(o)) {
                piece = Piece::of(format!("({piece} {operator} {})", self.power()?));
            } else {
                return Ok(piece);
            }
        }
    }

    fn power(&mut self) -> Counted {
        self.chain(&["**"], Self::unary, Piece::plain)
    }

    /// Operands with any of these operators between, from left to right.
    fn chain(
        &mut self,
        operators: &[&str],
        mut operand: impl FnMut(&mut Self) -> Counted,
        written: impl Fn(Piece) -> String,
    ) -> Counted {
        let first = operand(self)?;
        let Some(mut operator) = operators.iter().find(|operator| self.accept(operator)) else {
            return Ok(first);
        };
        let mut text = written(first);
        loop {
            text.push_str(&format!(" {operator} {}", written(operand(self)?)));
            match operators.iter().find(|operator| self.accept(operator)) {
                Some(next) => operator = next,
                None => return Ok(Piece::of(format!("({text})"))),
            }
        }
    }

    fn unary(&mut self) -> Counted {
        let piece = self.without_filters()?;
        self.filters(piece)
    }

    fn without_filters(&mut self) -> Counted {
        let piece = self.negated()?;
        self.postfix(piece)
    }

    fn negated(&mut self) -> Counted {
        if self.accept("-") {
            return Ok(Piece::of(format!("(-{})", self.negated()?)));
        }
        self.primary()
    }

    fn primary(&mut self) -> Counted {
        let Some((first, rest)) = self.tokens.split_first() else {
            return Err("expected a value");
        };
        match first {
            Token::Identifier(name) if !RESERVED.contains(name) => {
                self.tokens = rest;
                let text = (*name).to_owned();
                Ok(Piece { text, is_literal: CONSTANTS.contains(name) })
            }
            Token::Literal(literal) => {
                self.tokens = rest;
                let mut text = (*literal).to_owned();
                // Texts that follow one another are one.
                while let Some((Token::Literal(next), rest)) = self.tokens.split_first() {
                    self.tokens = rest;
                    text.push(' ');
                    text.push_str(next);
                }
                Ok(Piece { text, is_literal: true })
            }
            Token::Operator("(") => self.bracketed("(", ")"),
            Token::Operator("[") => self.bracketed("[", "]"),
            Token::Operator("{") => self.bracketed("{", "}"),
            _ => Err("expected a value"),
        }
    }

    /// A list, a map, or an expression in parentheses.
    fn bracketed(&mut self, open: &str, close: &str) -> Counted {
        self.expect(open)?;
        let mut text = open.to_owned();
        while !self.accept(close) {
            text.push_str(&self.expression()?.text);
            if open == "{" {
                self.expect(":")?;
                text.push_str(&format!(": {}", self.expression()?));
            }
            if self.accept(",") {
                text.push_str(if self.is_next(close) { "," } else { ", " });
            } else if !self.is_next(close) {
                return Err("a bracket is not closed");
            }
        }
        text.push_str(close);
        Ok(Piece::of(text))
    }

    fn postfix(&mut self, mut piece: Piece) -> Counted {
        loop {
            if self.accept(".") {
                piece = match self.tokens.split_first() {
                    Some((Token::Identifier(name), rest)) => {
                        self.tokens = rest;
                        Piece::of(format!("{piece}.{name}"))
                    }
                    Some((Token::Literal(index), rest)) => {
                        self.tokens = rest;
                        Piece::of(format!("{INDEXED}({piece})[{index}]"))
                    }
                    _ => return Err("expected a value"),
                };
            } else if self.accept("[") {
                piece = self.subscript(&piece)?;
            } else if self.is_next("(") {
                piece = Piece::of(format!("{piece}{}", self.arguments()?));
            } else {
                return Ok(piece);
            }
        }
    }

    fn subscript(&mut self, piece: &Piece) -> Counted {
        let (mut inside, mut is_slice) = (String::new(), false);
        while !self.accept("]") {
            if self.accept(":") {
                is_slice = true;
                inside.push(':');
            } else {
                inside.push_str(&self.expression()?.text);
            }
            if self.is_at_end() {
                return Err("a bracket is not closed");
            }
        }
        let function = if is_slice { COUNTED } else { INDEXED };
        Ok(Piece::of(format!("{function}({piece})[{inside}]")))
    }

    /// The arguments of a call, each counted.
    fn arguments(&mut self) -> Result<String, &'static str> {
        self.expect("(")?;
        let mut all = Vec::new();
        while !self.accept(")") {
            let splat =
                ["**", "*"].into_iter().find(|splat| self.accept(splat)).unwrap_or_default();
            let named = match self.tokens {
                [Token::Identifier(name), Token::Operator("="), ..] => {
                    self.tokens = &self.tokens[2..];
                    format!("{name}=")
                }
                _ => String::new(),
            };
            all.push(format!("{splat}{named}{}", self.expression()?.counted()));
            if !self.accept(",") && !self.is_next(")") {
                return Err("a bracket is not closed");
            }
        }
        Ok(format!("({})", all.join(", ")))
    }

    fn filters(&mut self, mut piece: Piece) -> Counted {
        loop {
            if self.accept("|") {
                let name = self.identifier().ok_or("expected a value")?;
                let arguments = if self.is_next("(") { self.arguments()? } else { String::new() };
                piece = Piece::of(format!("{piece}|{name}{arguments}"));
            } else if self.accept("is") {
                piece = self.test(piece)?;
            } else {
                return Ok(piece);
            }
        }
    }

    fn test(&mut self, piece: Piece) -> Counted {
        let not = if self.accept("not") { "not " } else { "" };
        let name = self.identifier().ok_or("expected a value")?;
        let arguments = if self.is_next("(") {
            self.arguments()?
        } else if self.is_argument_next() {
            format!("({})", self.without_filters()?.counted())
        } else if LONG_TESTS.contains(&name) {
            String::new()
        } else {
            return Ok(Piece::of(format!("{piece} is {not}{name}")));
        };
        Ok(Piece::of(format!("{} is {not}{name}{arguments}", piece.counted())))
    }

    /// Whether the argument of a test follows without parentheses.
    fn is_argument_next(&self) -> bool {
        match self.tokens.first() {
            Some(Token::Identifier(name)) => !RESERVED.contains(name),
            Some(Token::Literal(_) | Token::Operator("-" | "[" | "{")) => true,
            _ => false,
        }
    }
}

impl Piece {
    fn of(text: String) -> Self {
        Self { text, is_literal: false }
    }

    fn plain(self) -> String {
        self.text
    }

    /// With what counts it around.
    fn counted(self) -> String {
        if self.is_literal { self.text } else { format!("{COUNTED}({})", self.text) }
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn written<'t>(token: &Token<'t>) -> &'t str {
    match token {
        Token::Identifier(text) | Token::Literal(text) | Token::Operator(text) => text,
    }
}
