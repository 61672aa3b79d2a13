//! `Resolver`: gives the evaluator what it asks the event for, and notes what is missing.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use cel::common::types::{CelBool, CelString};
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use serde_json::Value as Json;

use crate::compile::{Compiled, METER};
use crate::convert;
use crate::functions::NULL;
use crate::meter::{Meter, text_units};
use crate::path::{Found, Path};
use crate::view::EventView;

/// Gives the evaluator what it asks the event for; one for each evaluation.
pub(crate) struct Resolver<'r> {
    view: &'r EventView<'r>,
    paths: &'r [Path],
    meter: Meter,
    missing: OnceLock<usize>,
    null: OnceLock<usize>,
    failed_on_null: AtomicBool,
}

impl<'r> Resolver<'r> {
    pub(crate) fn new(view: &'r EventView<'r>, compiled: &'r Compiled) -> Self {
        Self {
            view,
            paths: &compiled.paths,
            meter: Meter::new(compiled.patterns.clone()),
            missing: OnceLock::new(),
            null: OnceLock::new(),
            failed_on_null: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.meter.is_used_up()
    }

    /// Notes that the evaluation ended at something that cannot be done with null.
    pub(crate) fn note_null(&self) {
        self.failed_on_null.store(true, Ordering::Relaxed);
    }

    /// The first path that was asked for and is missing; or null, where the evaluation ended at null.
    pub(crate) fn missing(&self) -> Option<String> {
        let null = || self.null.get().filter(|_| self.failed_on_null.load(Ordering::Relaxed));
        Some(self.paths.get(*self.missing.get().or_else(null)?)?.to_string())
    }

    fn value(&self, index: usize) -> Option<CowVal<'_, '_>> {
        let path = self.paths.get(index)?;
        if let searched @ 1.. = self.view.searched(path)
            && !self.meter.charge_units(searched)
        {
            return None;
        }
        match self.view.find(path) {
            Found::Text(text) => self
                .meter
                .charge_units(text_units(text))
                .then(|| CowVal::owned(CelString::from(text))),
            Found::Json(value) => {
                if let Json::Null = value {
                    self.null.get_or_init(|| index);
                }
                let converted = convert::to_cel(value, self.meter.left());
                self.meter.settle(converted.as_ref().map(|(_, left)| *left));
                converted.map(|(value, _)| CowVal::Owned(value))
            }
            Found::Missing => {
                self.missing.get_or_init(|| index);
                self.meter.charge_units(1).then_some(CowVal::Borrowed(&NULL))
            }
        }
    }
}

impl VariableResolver for Resolver<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        if variable == METER {
            return Some(CowVal::Borrowed(&self.meter));
        }
        if let Some(index) = variable.strip_prefix("@p") {
            return self.value(index.parse().ok()?);
        }
        let path = self.paths.get(variable.strip_prefix("@h")?.parse::<usize>().ok()?)?;
        let found = !matches!(self.view.find(path), Found::Missing);
        self.meter.charge_units(1).then(|| CowVal::owned(CelBool::from(found)))
    }
}
