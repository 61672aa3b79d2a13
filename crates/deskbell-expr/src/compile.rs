//! From a text to what is evaluated: CEL's tree, with every access to the event replaced by ours.
//!
//! CEL fails on a missing member. Here a chain of members from a root becomes one variable that is
//! looked up in the event at once (and null where it is missing), and any other access becomes a call
//! of a function that gives null.

use std::sync::Arc;

use cel::ParseErrors;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, ListExpr, LiteralValue,
    SelectExpr, SourceInfo, operators,
};
use cel::common::types::CelString;
use cel::parser::Parser;

use crate::error::ExpressionError;
use crate::functions;
use crate::path::{Path, Step};
use crate::pattern::{Pattern, PatternError};
use crate::roots;

mod chain;
mod cost;
mod fields;

use chain::{Chain, takes_member};

/// The longest text of an expression.
pub const EXPRESSION_BYTES_MAX: usize = 4096;

/// The deepest nesting of an expression: operators, calls and loops inside one another. A chain such
/// as `a + b + c` nests once an operator; `a || b || c` and `data.a.b.c` do not.
pub const EXPRESSION_DEPTH_MAX: usize = 48;

/// Brackets inside one another, and signs in a row, that the parser is given at most.
const BRACKETS_DEPTH_MAX: usize = 48;

/// The stack on which a text is parsed: the parser goes as deep as the text does.
const PARSER_STACK_BYTES: usize = 64 << 20;

/// The variable that is the meter.
pub(crate) const METER: &str = "@meter";

/// What a text was compiled to.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) tree: IdedExpr,
    pub(crate) paths: Vec<Path>,
    /// The paths from roots without a type, each with its column.
    pub(crate) untyped: Vec<(Path, usize)>,
    pub(crate) patterns: Option<Arc<[Pattern]>>,
}

/// Compiles a text, on a thread of its own for its stack.
pub(crate) fn compile(text: &str) -> Result<Compiled, ExpressionError> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(ExpressionError::TooLong { bytes: text.len() });
    }
    if brackets_depth(text) > BRACKETS_DEPTH_MAX {
        return Err(ExpressionError::TooDeep);
    }
    let text = text.to_owned();
    std::thread::Builder::new()
        .name("expression".to_owned())
        .stack_size(PARSER_STACK_BYTES)
        .spawn(move || {
            let (tree, info) = Parser::new()
                .enable_optional_syntax(true)
                .parse_with_source_info(&text)
                .map_err(syntax_error)?;
            let mut compiler = Compiler {
                info: &info,
                variables: Vec::new(),
                paths: Vec::new(),
                untyped: Vec::new(),
                patterns: Vec::new(),
            };
            let tree = compiler.expression(tree, 0)?;
            let Compiler { paths, untyped, patterns, .. } = compiler;
            let patterns = (!patterns.is_empty()).then(|| patterns.into());
            Ok(Compiled { tree, paths, untyped, patterns })
        })
        .ok()
        .and_then(|thread| thread.join().ok())
        .unwrap_or(Err(ExpressionError::ParserFailed))
}

/// An upper bound of how deep brackets nest, those inside of texts counted too, or of signs in a row.
fn brackets_depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut signs) = (0_usize, 0, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match byte {
            b'!' | b'-' | b'?' => signs += 1,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => signs = 0,
        }
        deepest = deepest.max(depth).max(signs);
    }
    deepest
}

fn syntax_error(errors: ParseErrors) -> ExpressionError {
    let Some(error) = errors.errors.into_iter().next() else {
        return ExpressionError::ParserFailed;
    };
    let from_one = |position: isize| usize::try_from(position).unwrap_or(0).max(1);
    ExpressionError::Syntax {
        line: from_one(error.pos.0),
        column: from_one(error.pos.1),
        reason: error.msg,
    }
}

struct Compiler<'i> {
    info: &'i SourceInfo,
    /// The variables of the loops around the node.
    variables: Vec<Variable>,
    paths: Vec<Path>,
    untyped: Vec<(Path, usize)>,
    patterns: Vec<Pattern>,
}

struct Variable {
    name: String,
    /// The path to the elements that the loop goes through, where that is known.
    element: Option<Path>,
}

impl Compiler<'_> {
    fn expression(&mut self, node: IdedExpr, depth: usize) -> Result<IdedExpr, ExpressionError> {
        if depth > EXPRESSION_DEPTH_MAX {
            return Err(ExpressionError::TooDeep);
        }
        self.check_fields(&node, None)?;
        if let Some(path) = self.path(&node) {
            return Ok(self.found(node.id, 'p', path));
        }
        let IdedExpr { id, expr } = node;
        let expr = match expr {
            Expr::Ident(name) => return self.ident(id, name, true),
            Expr::Select(select) => return self.select(id, select, depth),
            Expr::Call(call) => return self.call(id, call, depth),
            Expr::Comprehension(comprehension) => {
                return self.comprehension(id, *comprehension, depth);
            }
            Expr::List(list) if !list.optional_indices.is_empty() => {
                return Err(self.unsupported(id, "an optional element such as `[?a]`"));
            }
            Expr::List(mut list) => {
                list.elements = self.all(list.elements, depth)?;
                Expr::List(list)
            }
            Expr::Map(mut map) => {
                let entries = map.entries.into_iter();
                map.entries =
                    entries.map(|entry| self.entry(entry, depth)).collect::<Result<_, _>>()?;
                Expr::Map(map)
            }
            Expr::Literal(literal) => Expr::Literal(literal),
            Expr::Struct(_) | Expr::Unspecified => {
                return Err(self.unsupported(id, "a message such as `Name{field: 1}`"));
            }
        };
        Ok(IdedExpr { id, expr })
    }

    fn all(
        &mut self,
        nodes: Vec<IdedExpr>,
        depth: usize,
    ) -> Result<Vec<IdedExpr>, ExpressionError> {
        nodes.into_iter().map(|node| self.expression(node, depth + 1)).collect()
    }

    /// A name that stands alone. One of a loop's variables is charged for, unless a member of it follows.
    fn ident(&self, id: u64, name: String, charged: bool) -> Result<IdedExpr, ExpressionError> {
        let is_variable = self.variable(&name).is_some();
        if !is_variable && !name.starts_with('@') && !roots::TYPES.contains(&name.as_str()) {
            let nearest = roots::nearest(&name, roots::ROOTS.iter().copied());
            return Err(ExpressionError::UnknownName { name, column: self.column(id), nearest });
        }
        let ident = IdedExpr { id, expr: Expr::Ident(name) };
        Ok(if is_variable && charged { call(functions::USE, vec![ident]) } else { ident })
    }

    /// What a member is taken of.
    fn operand(&mut self, node: IdedExpr, depth: usize) -> Result<IdedExpr, ExpressionError> {
        match node.expr {
            Expr::Ident(name) if self.variable(&name).is_some() => self.ident(node.id, name, false),
            expr => self.expression(IdedExpr { id: node.id, expr }, depth + 1),
        }
    }

    fn select(
        &mut self,
        id: u64,
        select: SelectExpr,
        depth: usize,
    ) -> Result<IdedExpr, ExpressionError> {
        let SelectExpr { operand, field, test } = select;
        if test {
            self.check_fields(&operand, Some(&field))?;
        }
        if test && let Some(mut path) = self.path(&operand) {
            path.steps.push(Step::Member(field));
            return Ok(self.found(id, 'h', path));
        }
        let function = if test { functions::HAS } else { functions::MEMBER };
        let key =
            IdedExpr { id, expr: Expr::Literal(LiteralValue::String(CelString::from(field))) };
        Ok(call(function, vec![self.operand(*operand, depth)?, key]))
    }

    fn call(
        &mut self,
        id: u64,
        mut node: CallExpr,
        depth: usize,
    ) -> Result<IdedExpr, ExpressionError> {
        if takes_member(&node) {
            let mut arguments = node.args.into_iter();
            let (operand, key) =
                (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
            let (operand, key) = (self.operand(operand, depth)?, self.expression(key, depth + 1)?);
            return Ok(call(functions::MEMBER, vec![operand, key]));
        }
        self.check_function(id, &node)?;
        if let Some(target) = node.target {
            node.target = Some(Box::new(self.expression(*target, depth + 1)?));
        }
        node.args = self.all(node.args, depth)?;
        if node.func_name == "matches" {
            return self.matches(id, node);
        }
        if node.target.is_none()
            && let Some(ours) = self.ours(id, &mut node)?
        {
            return Ok(ours);
        }
        let makes = makes_much(&node);
        let made = IdedExpr { id, expr: Expr::Call(node) };
        Ok(if makes { call(functions::USE, vec![made]) } else { made })
    }

    fn check_function(&self, id: u64, node: &CallExpr) -> Result<(), ExpressionError> {
        let name = &node.func_name;
        let is_operator = !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let known = if node.target.is_some() { roots::METHODS } else { roots::FUNCTIONS };
        if is_operator || known.contains(&name.as_str()) {
            return Ok(());
        }
        if roots::MACROS.contains(&name.as_str()) {
            return Err(
                self.unsupported(id, "`has`, `all`, `map` and the like with such arguments")
            );
        }
        let nearest = roots::nearest(name, known.iter().chain(roots::MACROS).copied());
        Err(ExpressionError::UnknownFunction {
            name: name.clone(),
            column: self.column(id),
            nearest,
        })
    }

    /// The call of a function that CEL does not have.
    fn ours(&self, id: u64, node: &mut CallExpr) -> Result<Option<IdedExpr>, ExpressionError> {
        let arguments = std::mem::take(&mut node.args);
        let made = match (node.func_name.as_str(), arguments.len()) {
            ("default", 2) | ("coalesce", 1..) => {
                let list = IdedExpr { id, expr: Expr::List(ListExpr::new(arguments)) };
                call(functions::FIRST, vec![list])
            }
            ("lower", 1) => call(functions::LOWER, arguments),
            ("upper", 1) => call(functions::UPPER, arguments),
            ("trim", 1) => call(functions::TRIM, arguments),
            ("default" | "coalesce" | "lower" | "upper" | "trim", _) => {
                let what = "a call of `default`, `coalesce`, `lower`, `upper` or `trim` with so \
                            many arguments";
                return Err(self.unsupported(id, what));
            }
            _ => {
                node.args = arguments;
                return Ok(None);
            }
        };
        Ok(Some(made))
    }

    /// A pattern must be a literal: it is compiled once, and a mistake in it is reported at once.
    fn matches(&mut self, id: u64, mut node: CallExpr) -> Result<IdedExpr, ExpressionError> {
        let (text, pattern) = match (node.target.take(), node.args.pop(), node.args.pop()) {
            (Some(text), Some(pattern), None) => (*text, pattern),
            (None, Some(pattern), Some(text)) if node.args.is_empty() => (text, pattern),
            _ => return Err(self.unsupported(id, "`matches` with such arguments")),
        };
        let Expr::Literal(LiteralValue::String(pattern)) = &pattern.expr else {
            return Err(
                self.unsupported(id, "a pattern of `matches` that is not written as a text")
            );
        };
        let column = self.column(id);
        let pattern = Pattern::compile(pattern.inner()).map_err(|error| match error {
            PatternError::TooLarge => ExpressionError::PatternTooLarge { column },
            PatternError::Invalid(reason) => ExpressionError::Pattern { column, reason },
        })?;
        self.patterns.push(pattern);
        Ok(call(functions::MATCH, vec![text, number(self.patterns.len() - 1)]))
    }

    fn comprehension(
        &mut self,
        id: u64,
        node: ComprehensionExpr,
        depth: usize,
    ) -> Result<IdedExpr, ExpressionError> {
        let element = self.element_of(&node.iter_range);
        let range = self.expression(node.iter_range, depth + 1)?;
        let accu_init = self.expression(node.accu_init, depth + 1)?;
        let outside = self.variables.len();
        self.variables.push(Variable { name: node.iter_var.clone(), element });
        let inside = (|| {
            Ok((
                self.expression(node.loop_cond, depth + 1)?,
                self.expression(node.loop_step, depth + 1)?,
                self.expression(node.result, depth + 1)?,
            ))
        })();
        self.variables.truncate(outside);
        let (loop_cond, loop_step, result) = inside?;
        let units = cost::of_element(&loop_cond) + cost::of_element(&loop_step);
        let iter_range = call(functions::ITERATE, vec![range, number(units)]);
        // A list that a loop makes is copied by the loop around it.
        let makes_list = matches!(accu_init.expr, Expr::List(_));
        let made =
            ComprehensionExpr { iter_range, accu_init, loop_cond, loop_step, result, ..node };
        let made = IdedExpr { id, expr: Expr::Comprehension(Box::new(made)) };
        Ok(if makes_list { call(functions::USE, vec![made]) } else { made })
    }

    fn entry(
        &mut self,
        entry: IdedEntryExpr,
        depth: usize,
    ) -> Result<IdedEntryExpr, ExpressionError> {
        let IdedEntryExpr { id, expr } = entry;
        match expr {
            EntryExpr::MapEntry(entry) if entry.optional => {
                Err(self.unsupported(id, "an optional entry such as `{?a: b}`"))
            }
            EntryExpr::MapEntry(mut entry) => {
                entry.key = self.expression(entry.key, depth + 1)?;
                entry.value = self.expression(entry.value, depth + 1)?;
                Ok(IdedEntryExpr { id, expr: EntryExpr::MapEntry(entry) })
            }
            EntryExpr::StructField(_) => Err(self.unsupported(id, "a message")),
        }
    }

    /// The path that a node is, where it is a chain of members from a root.
    fn path(&self, node: &IdedExpr) -> Option<Path> {
        let Chain { name, steps } = Chain::of(node)?;
        let root = self.root(name)?;
        Some(Path { root, steps })
    }

    /// The root of this name, unless a loop's variable has it too.
    fn root(&self, name: &str) -> Option<&'static str> {
        let absolute = name.strip_prefix('.');
        if absolute.is_none() && self.variable(name).is_some() {
            return None;
        }
        let name = absolute.unwrap_or(name);
        roots::ROOTS.iter().copied().find(|root| *root == name)
    }

    fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().rev().find(|variable| variable.name == name)
    }

    /// A variable for what a path leads to (`p`) or whether it leads anywhere (`h`).
    fn found(&mut self, id: u64, kind: char, path: Path) -> IdedExpr {
        let known = self.paths.iter().position(|known| *known == path);
        let index = known.unwrap_or(self.paths.len());
        if known.is_none() {
            self.paths.push(path);
        }
        IdedExpr { id, expr: Expr::Ident(format!("@{kind}{index}")) }
    }

    fn column(&self, id: u64) -> usize {
        self.info.offset_for(id).and_then(|(start, _)| usize::try_from(start).ok()).unwrap_or(0) + 1
    }

    fn unsupported(&self, id: u64, what: &'static str) -> ExpressionError {
        ExpressionError::Unsupported { column: self.column(id), what }
    }
}

/// Whether a call may come to something large, which is charged for: `a + b` of texts or lists, and
/// copies of texts. A loop's own `+` is not: the loop is.
fn makes_much(node: &CallExpr) -> bool {
    let is_small = |node: &IdedExpr| match &node.expr {
        Expr::Literal(LiteralValue::String(_) | LiteralValue::Bytes(_)) => false,
        Expr::Literal(_) => true,
        Expr::Ident(name) => name == "@result",
        _ => false,
    };
    match node.func_name.as_str() {
        operators::ADD => !node.args.iter().any(is_small),
        "string" | "bytes" => true,
        _ => false,
    }
}

fn number(value: usize) -> IdedExpr {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    IdedExpr { id: 0, expr: Expr::Literal(LiteralValue::Int(value.into())) }
}

/// A call of one of our functions, with the meter as its last argument.
fn call(function: &str, mut arguments: Vec<IdedExpr>) -> IdedExpr {
    arguments.push(IdedExpr { id: 0, expr: Expr::Ident(METER.to_owned()) });
    let call = CallExpr { func_name: function.to_owned(), target: None, args: arguments };
    IdedExpr { id: 0, expr: Expr::Call(call) }
}
