//! `Meter`: how much work an evaluation has left.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cel::common::types::{CelBytes, CelList, CelMap, CelMapKey, CelString, DYN_TYPE, Type};
use cel::common::value::{StaticVal, Val};

use crate::pattern::Pattern;

/// The work that one evaluation may do; one that needs more fails with
/// [`TooMuchWork`](crate::EvaluationErrorKind::TooMuchWork). A unit is about what a value costs: one for
/// every value and 16 bytes of text that it takes from the event, takes again from a variable, or makes;
/// three more for every map and every key of one; two for each operator, call and name inside of a loop,
/// at each element; and one for four steps of a regular expression. The same event costs the same
/// everywhere: time is never looked at. A payload of 1 MiB as it is usual has about 200,000 units, one of
/// nothing but zeros 500,000.
pub const EVALUATION_WORK_MAX: u64 = 520_000;

/// What an operator, call or name inside of a loop costs at each element, beside its values. An operator
/// that fails, which `||` goes over, costs the most.
pub(crate) const NODE_UNITS: u64 = 2;

/// What a map, and a key of one, cost beside their values.
pub(crate) const MAP_UNITS: u64 = 3;

/// Steps of a regular expression that are a unit of work.
pub(crate) const STEPS_A_UNIT: u64 = 4;

/// Bytes of text that are a unit of work.
const TEXT_BYTES_A_UNIT: usize = 16;

/// How much work an evaluation has left, and the patterns that it may use; handed to functions as an
/// argument.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    left: Arc<AtomicU64>,
    /// None where there are none, which spares most evaluations a count of references.
    patterns: Option<Arc<[Pattern]>>,
}

impl Meter {
    pub(crate) fn new(patterns: Option<Arc<[Pattern]>>) -> Self {
        Self { left: Arc::new(AtomicU64::new(EVALUATION_WORK_MAX)), patterns }
    }

    pub(crate) fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// Sets what is left; none is no work left, for good.
    pub(crate) fn settle(&self, left: Option<u64>) -> bool {
        self.left.store(left.unwrap_or(0), Ordering::Relaxed);
        left.is_some()
    }

    /// Whether a pattern matches a text; `None` where too little work is left to tell.
    pub(crate) fn is_match(&self, pattern: usize, text: &str) -> Option<bool> {
        let steps = self.left().saturating_mul(STEPS_A_UNIT);
        let matched = self.patterns.as_deref()?.get(pattern)?.is_match(text, steps);
        let left = matched.and_then(|(_, steps)| take(steps / STEPS_A_UNIT, 1));
        self.settle(left).then_some(matched?.0)
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.left() == 0
    }

    /// Takes the weight of a value.
    pub(crate) fn charge(&self, value: &dyn Val) -> bool {
        self.settle(weigh(value, self.left()))
    }

    pub(crate) fn charge_units(&self, units: u64) -> bool {
        self.settle(take(self.left(), units))
    }
}

pub(crate) fn text_units(text: &str) -> u64 {
    byte_units(text.len())
}

fn byte_units(bytes: usize) -> u64 {
    1 + u64::try_from(bytes / TEXT_BYTES_A_UNIT).unwrap_or(u64::MAX)
}

/// What is left after some units, at least one.
pub(crate) fn take(left: u64, units: u64) -> Option<u64> {
    left.checked_sub(units).filter(|left| *left > 0)
}

fn weigh(value: &dyn Val, left: u64) -> Option<u64> {
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        return take(left, text_units(text.inner()));
    }
    if let Some(bytes) = value.downcast_ref::<CelBytes<'_>>() {
        return take(left, byte_units(bytes.inner().len()));
    }
    let mut left = take(left, 1)?;
    if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        for element in list.inner() {
            left = weigh(element.as_ref(), left)?;
        }
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        left = take(left, MAP_UNITS)?;
        for (key, value) in map.inner() {
            let units = if let CelMapKey::String(key) = key { text_units(key.inner()) } else { 1 };
            left = weigh(value.as_ref(), take(left, MAP_UNITS + units)?)?;
        }
    }
    Some(left)
}

impl Val for Meter {
    fn get_type(&self) -> &Type {
        &DYN_TYPE
    }

    fn cel_type() -> &'static Type {
        &DYN_TYPE
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Meter {}
