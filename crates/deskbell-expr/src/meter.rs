//! `Meter`: how much work an evaluation has left.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cel::common::types::{CelList, CelMap, CelMapKey, CelString, DYN_TYPE, Type};
use cel::common::value::{StaticVal, Val};

/// The work that one evaluation may do: a unit for every value, key and 16 bytes of text that it
/// takes from the event, takes again from a variable, or goes through in `all`, `map` and the like.
/// A payload of 1 MiB as it is usual has about 100,000 units, one of nothing but zeros 500,000.
pub const EVALUATION_WORK_MAX: u64 = 1_000_000;

/// Bytes of text that are a unit of work.
const TEXT_BYTES_A_UNIT: usize = 16;

/// How much work an evaluation has left; handed to functions as an argument.
#[derive(Clone, Debug)]
pub(crate) struct Meter(Arc<AtomicU64>);

impl Meter {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(EVALUATION_WORK_MAX)))
    }

    pub(crate) fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets what is left; none is no work left, for good.
    pub(crate) fn settle(&self, left: Option<u64>) -> bool {
        self.0.store(left.unwrap_or(0), Ordering::Relaxed);
        left.is_some()
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.left() == 0
    }

    /// Takes the weight of a value.
    pub(crate) fn charge(&self, value: &dyn Val) -> bool {
        self.settle(weigh(value, self.left()))
    }

    /// Takes some units.
    pub(crate) fn charge_units(&self, units: u64) -> bool {
        self.settle(take(self.left(), units))
    }
}

/// The units of a text.
pub(crate) fn text_units(text: &str) -> u64 {
    1 + u64::try_from(text.len() / TEXT_BYTES_A_UNIT).unwrap_or(u64::MAX)
}

/// What is left after some units, at least one.
pub(crate) fn take(left: u64, units: u64) -> Option<u64> {
    left.checked_sub(units).filter(|left| *left > 0)
}

fn weigh(value: &dyn Val, left: u64) -> Option<u64> {
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        return take(left, text_units(text.inner()));
    }
    let mut left = take(left, 1)?;
    if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        for element in list.inner() {
            left = weigh(element.as_ref(), left)?;
        }
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        for (key, value) in map.inner() {
            let units = if let CelMapKey::String(key) = key { text_units(key.inner()) } else { 1 };
            left = weigh(value.as_ref(), take(left, units)?)?;
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
