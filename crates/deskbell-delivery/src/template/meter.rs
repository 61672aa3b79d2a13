//! How much work a rendering has left: what is made on the way is bounded, not the output alone.

use std::sync::atomic::{AtomicU64, Ordering};

use minijinja::value::{Object, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

/// The work that one rendering may do; one that needs more fails, and its delivery becomes a dead letter
/// that says so. A unit is 16 bytes of text, or one value of a list or a map, each time that it is
/// compared, searched, copied or written, and a call of a filter has eight: all texts that a rendering
/// makes have 4 MB together.
const RENDER_WORK_MAX: u64 = 250_000;

/// What an element costs beside its value where each look at the list makes it anew: a part or a sum of
/// lists, what a filter gives one by one.
const MADE_ANEW_UNITS: u64 = 8;
/// What a member of a map costs beside its name and its value.
const MEMBER_UNITS: u64 = 2;

/// Bytes of text that are a unit of work.
const TEXT_BYTES_A_UNIT: u64 = 16;

/// The name under which a rendering keeps its meter.
const METER: &str = "@meter";

#[derive(Debug)]
struct Meter(AtomicU64);

impl Object for Meter {}

/// The functions that a metered template calls; see [`super::metered`].
pub(super) const COUNTED: &str = "__counted";
pub(super) const INDEXED: &str = "__indexed";
pub(super) const TIMES: &str = "__times";
pub(super) const EACH: &str = "__each";

/// Gives an environment the functions that a metered template calls.
pub(super) fn add_functions(environment: &mut Environment<'_>) {
    environment.add_function(COUNTED, counted);
    environment.add_function(INDEXED, indexed);
    environment.add_function(TIMES, times);
    environment.add_function(EACH, each);
}

/// Takes units; fails where too few are left.
pub(super) fn charge(state: &State<'_, '_>, units: u64) -> Result<(), Error> {
    let meter = meter(state);
    let left = meter.0.load(Ordering::Relaxed).checked_sub(units);
    meter.0.store(left.unwrap_or(0), Ordering::Relaxed);
    left.map(drop).ok_or_else(used_up)
}

/// Takes the weight of a value with all that is in it, which is the answer.
pub(super) fn charge_value(state: &State<'_, '_>, value: &Value) -> Result<u64, Error> {
    let meter = meter(state);
    let before = meter.0.load(Ordering::Relaxed);
    let left = weigh(value, before);
    meter.0.store(left.unwrap_or(0), Ordering::Relaxed);
    left.map(|left| before - left).ok_or_else(used_up)
}

/// The units of a text of this length.
pub(super) fn text_units(bytes: usize) -> u64 {
    units(bytes) / TEXT_BYTES_A_UNIT + 1
}

pub(super) fn units(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn meter(state: &State<'_, '_>) -> std::sync::Arc<Meter> {
    state.get_or_set_temp_object(METER, || Meter(AtomicU64::new(RENDER_WORK_MAX)))
}

fn used_up() -> Error {
    Error::from(ErrorKind::OutOfFuel)
}

/// What is left after a value.
fn weigh(value: &Value, left: u64) -> Option<u64> {
    if let Some(bytes) = value.as_bytes().map(<[u8]>::len).or(value.as_str().map(str::len)) {
        return left.checked_sub(text_units(bytes));
    }
    let mut left = left.checked_sub(1)?;
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable | ValueKind::Map) {
        return Some(left);
    }
    let Ok(elements) = value.try_iter() else { return Some(left) };
    let beside = match value.kind() {
        ValueKind::Iterable => MADE_ANEW_UNITS,
        ValueKind::Map => MEMBER_UNITS,
        _ => 0,
    };
    for element in elements {
        left = weigh(&element, left.checked_sub(beside)?)?;
        if value.kind() == ValueKind::Map
            && let Ok(member) = value.get_item(&element)
        {
            left = weigh(&member, left)?;
        }
    }
    Some(left)
}

/// `__counted(value)`: the value, charged for.
fn counted(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    charge_value(state, &value)?;
    Ok(value)
}

/// `__indexed(value)`: the value, charged for where an index into it goes through it.
fn indexed(state: &State<'_, '_>, value: Value) -> Result<Value, Error> {
    if matches!(value.kind(), ValueKind::Iterable | ValueKind::String) {
        charge_value(state, &value)?;
    }
    Ok(value)
}

/// `__each(value, bytes)`: what a loop goes through, charged for the text that the loop's body writes at
/// each element.
fn each(state: &State<'_, '_>, value: Value, bytes: usize) -> Result<Value, Error> {
    let elements = match value.len() {
        Some(elements) => elements,
        None => value.try_iter().map_or(0, Iterator::count),
    };
    charge(state, units(elements).saturating_mul(text_units(bytes)))?;
    Ok(value)
}

/// `__times(left, right)`: the product, as `*` makes it.
fn times(state: &State<'_, '_>, left: &Value, right: &Value) -> Result<Value, Error> {
    for (repeated, count) in [(left, right), (right, left)] {
        if let Some(text) = repeated.as_str() {
            let count = count.as_usize().ok_or_else(|| Error::from(ErrorKind::InvalidOperation))?;
            charge(state, text_units(text.len().saturating_mul(count)))?;
            return Ok(Value::from(text.repeat(count)));
        }
        if matches!(repeated.kind(), ValueKind::Seq | ValueKind::Iterable) {
            let count = count.as_usize().ok_or_else(|| Error::from(ErrorKind::InvalidOperation))?;
            let weight = charge_value(state, repeated)?;
            charge(state, weight.saturating_mul(units(count)))?;
            let elements: Vec<Value> = repeated.try_iter()?.collect();
            return Ok(std::iter::repeat_n(elements, count).flatten().collect());
        }
    }
    product(left, right).ok_or_else(|| Error::from(ErrorKind::InvalidOperation))
}

fn product(left: &Value, right: &Value) -> Option<Value> {
    let is_float = |value: &Value| value.kind() == ValueKind::Number && !value.is_integer();
    if is_float(left) || is_float(right) {
        let float = |value: &Value| f64::try_from(value.clone()).ok();
        return Some(Value::from(float(left)? * float(right)?));
    }
    let whole = |value: &Value| i128::try_from(value.clone()).ok();
    let product = whole(left)?.checked_mul(whole(right)?)?;
    Some(i64::try_from(product).map_or_else(|_| Value::from(product), Value::from))
}
