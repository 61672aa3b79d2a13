//! What a filter may be asked for, judged before it works: what it makes is bounded, not its input alone.

use std::fmt;

use minijinja::value::{Kwargs, from_args};
use minijinja::{Error, ErrorKind, State, Value};

use super::meter::{charge, charge_value, text_units, units};

/// The widest indentation that `indent` makes, in spaces; a wider one fails.
const INDENT_MAX: usize = 200;
/// The most that `batch` and `slice` make at once: elements of a row, or rows; more fails.
const ROWS_MAX: usize = 10_000;
/// The widest indentation of JSON, in spaces; a wider one fails.
const JSON_INDENT_MAX: usize = 8;
/// The digits of a width or a precision in a text for `format`; one with more fails.
const FORMAT_DIGITS_MAX: usize = 3;
/// What a call of a filter costs beside what it goes through, in units of work.
const CALL_UNITS: u64 = 8;
/// How deep values nest at most, for what is indented at each level.
const DEPTH_MAX: usize = 128;

/// A filter that was asked for too much. It bears no value of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TooMuch {
    what: &'static str,
    max: usize,
}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be at most {}", self.what, self.max)
    }
}

impl std::error::Error for TooMuch {}

/// Charges for what a filter is about to do, and refuses what is too much whatever the work that is left.
pub(super) fn before(
    state: &State<'_, '_>,
    filter: &str,
    arguments: &[Value],
) -> Result<(), Error> {
    let mut weights = Vec::with_capacity(arguments.len());
    for argument in arguments {
        weights.push(charge_value(state, argument)?);
    }
    let Some(value) = arguments.first() else { return Ok(()) };
    let weight = weights[0];
    let elements = || units(value.len().unwrap_or_default());
    let work = match filter {
        "indent" => {
            let width = number(arguments, "width")?.unwrap_or_default();
            at_most("the width of `indent`", width, INDENT_MAX)?;
            let lines = value.as_str().map_or(0, |text| text.matches('\n').count() + 1);
            text_units(lines * width)
        }
        "batch" | "slice" => {
            let count = number(arguments, "count")?.unwrap_or_default();
            at_most("the number of `batch` and `slice`", count, ROWS_MAX)?;
            units(count) + weight
        }
        "join" => elements().saturating_mul(weights.get(1).copied().unwrap_or_default()),
        "replace" => replacements(arguments),
        "format" => format_width(value)?,
        "tojson" | "pprint" => {
            let indent = number(arguments, "indent")?.unwrap_or_default();
            at_most("the indentation of `tojson`", indent, JSON_INDENT_MAX)?;
            let width = if filter == "pprint" { JSON_INDENT_MAX } else { indent };
            if width == 0 {
                0
            } else {
                weight.saturating_mul(text_units(width * depth(value, DEPTH_MAX)))
            }
        }
        "map" | "select" | "reject" | "selectattr" | "rejectattr" => {
            elements().saturating_mul(1 + weights[1..].iter().sum::<u64>())
        }
        "sort" | "unique" | "min" | "max" | "groupby" | "dictsort" => {
            weight.saturating_mul(u64::from(elements().max(1).ilog2()))
        }
        _ => 0,
    };
    charge(state, work.saturating_add(CALL_UNITS))
}

fn at_most(what: &'static str, number: usize, max: usize) -> Result<(), Error> {
    if number <= max {
        return Ok(());
    }
    let error = Error::from(ErrorKind::InvalidOperation);
    Err(error.with_source(TooMuch { what, max }))
}

/// The second argument, or the one of this name, where it is a number.
fn number(arguments: &[Value], name: &str) -> Result<Option<usize>, Error> {
    let (arguments, named): (&[Value], Kwargs) = from_args(arguments)?;
    let number = match arguments.get(1) {
        Some(number) => Some(number.clone()),
        None => named.get::<Option<Value>>(name)?,
    };
    let number = number.filter(|number| number.kind() == minijinja::value::ValueKind::Number);
    // A number below zero is none that the filter takes.
    Ok(number.map(|number| number.as_usize().unwrap_or(usize::MAX)))
}

/// What `replace` makes beside its input, in units.
fn replacements(arguments: &[Value]) -> u64 {
    /// What escaping makes of one character.
    const ESCAPED_MAX: usize = 6;
    let text = |at: usize| arguments.get(at).and_then(Value::as_str);
    let (Some(value), Some(from), Some(to)) = (text(0), text(1), text(2)) else { return 0 };
    let found = value.matches(from).count();
    text_units(found.saturating_mul(to.len()).saturating_mul(ESCAPED_MAX))
}

/// What the widths in a text for `format` make, in units.
fn format_width(format: &Value) -> Result<u64, Error> {
    let Some(format) = format.as_str() else { return Ok(0) };
    let digits =
        format.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    at_most("the digits of a width in `format`", digits, FORMAT_DIGITS_MAX)?;
    if format.contains('*') {
        at_most("a width in `format` that comes from a value", 1, 0)?;
    }
    let fields = format.matches('%').count();
    Ok(text_units(fields * 10_usize.pow(3)))
}

fn depth(value: &Value, max: usize) -> usize {
    use minijinja::value::ValueKind::{Iterable, Map, Seq};
    if max == 0 || !matches!(value.kind(), Seq | Iterable | Map) {
        return 0;
    }
    let of = |element: &Value| match value.kind() {
        Map => value.get_item(element).map_or(0, |member| depth(&member, max - 1)),
        _ => depth(element, max - 1),
    };
    1 + value.try_iter().map_or(0, |elements| elements.map(|e| of(&e)).max().unwrap_or_default())
}
