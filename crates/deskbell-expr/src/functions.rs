//! The functions that a compiled expression calls in place of CEL's own member access and loops.
//!
//! Their names begin with `@`, which no text can write. The last argument of each is the [`Meter`].

use std::sync::{Arc, LazyLock};

use cel::common::functions::Function;
use cel::common::types::{
    CelBool, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, DYN_TYPE, STRING_TYPE,
};
use cel::common::value::{CowVal, Val};
use cel::{Env, ExecutionError};

use crate::meter::Meter;

/// `@member(value, key, meter)`: the member, or null where it is missing.
pub(crate) const MEMBER: &str = "@member";
/// `@has(value, key, meter)`: whether the member is there.
pub(crate) const HAS: &str = "@has";
/// `@use(value, meter)`: the value of a variable, for its weight.
pub(crate) const USE: &str = "@use";
/// `@iterate(value, units, meter)`: what a loop goes through: a map's keys in order, anything else as
/// it is. The units are what the loop's body costs at each element.
pub(crate) const ITERATE: &str = "@iterate";
/// `@match(value, pattern, meter)`: whether the expression's pattern of this number matches a text.
pub(crate) const MATCH: &str = "@match";
/// `@first(list, meter)`: the first of the list's elements that is not null.
pub(crate) const FIRST: &str = "@first";
/// `@lower(value, meter)`: a text in lower case, and null of null.
pub(crate) const LOWER: &str = "@lower";
/// `@upper(value, meter)`: a text in upper case, and null of null.
pub(crate) const UPPER: &str = "@upper";
/// `@trim(value, meter)`: a text without the white space around it, and null of null.
pub(crate) const TRIM: &str = "@trim";

/// CEL's standard functions, without optional values, and ours.
pub(crate) static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::default().with_optional_support(false).with_stdlib();
    let functions: [(&str, usize, Function); 9] = [
        (MEMBER, 3, member),
        (HAS, 3, has),
        (USE, 2, charged),
        (ITERATE, 3, iterate),
        (MATCH, 3, matched),
        (FIRST, 2, first),
        (LOWER, 2, |arguments| text(arguments, "lower", str::to_lowercase)),
        (UPPER, 2, |arguments| text(arguments, "upper", str::to_uppercase)),
        (TRIM, 2, |arguments| text(arguments, "trim", |text| text.trim().to_owned())),
    ];
    for (name, arguments, function) in functions {
        let added =
            env.add_overload(name, name, (0..arguments).map(|_| DYN_TYPE).collect(), function);
        debug_assert!(added.is_ok(), "{name} is declared twice");
    }
    Arc::new(env)
});

/// Stands for a null that is not in a text.
pub(crate) static NULL: CelNull = CelNull;

type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Result<'b, 'v> = std::result::Result<CowVal<'b, 'v>, ExecutionError>;

fn member<'b, 'v>(arguments: Arguments<'b, 'v>) -> Result<'b, 'v> {
    let [value, key, meter] = take(arguments)?;
    let found = match value {
        CowVal::Borrowed(value) => {
            value.as_indexer().and_then(|value| value.get(key.as_ref()).ok())
        }
        CowVal::Owned(value) => value.as_indexer().and_then(|value| {
            value.get(key.as_ref()).ok().map(|found| CowVal::Owned(found.into_owned()))
        }),
    };
    let found = found.unwrap_or(CowVal::Borrowed(&NULL));
    charge(&meter, |meter| meter.charge(found.as_ref()))?;
    Ok(found)
}

fn has<'b, 'v>(arguments: Arguments<'b, 'v>) -> Result<'b, 'v> {
    let [value, key, meter] = take(arguments)?;
    charge(&meter, |meter| meter.charge_units(1))?;
    let found = value.as_indexer().is_some_and(|value| value.get(key.as_ref()).is_ok());
    Ok(CowVal::owned(CelBool::from(found)))
}

fn charged<'b, 'v>(arguments: Arguments<'b, 'v>) -> Result<'b, 'v> {
    let [value, meter] = take(arguments)?;
    charge(&meter, |meter| meter.charge(value.as_ref()))?;
    Ok(value)
}

fn iterate<'b, 'v>(arguments: Arguments<'b, 'v>) -> Result<'b, 'v> {
    let [value, units, meter] = take(arguments)?;
    let elements = value.as_sizer().map_or(0, |sizer| number(*sizer.size().inner()));
    let mut units = elements.saturating_mul(integer(&units));
    if value.downcast_ref::<CelMap<'_>>().is_some() {
        // Its keys are sorted: a key is compared with about half a unit's worth at each halving.
        units = units.saturating_add(elements * u64::from(elements.max(1).ilog2()) / 2);
    }
    charge(&meter, |meter| meter.charge(value.as_ref()) && meter.charge_units(units))?;
    let Some(map) = value.downcast_ref::<CelMap<'_>>() else { return Ok(value) };
    let mut keys: Vec<&CelMapKey<'v>> = map.inner().keys().collect();
    keys.sort_unstable();
    let keys: Vec<Box<dyn Val + 'v>> =
        keys.iter().map(|key| key.inner().clone_as_boxed()).collect();
    Ok(CowVal::owned(CelList::from(keys)))
}

fn matched<'b, 'v>(arguments: Arguments<'b, 'v>) -> Result<'b, 'v> {
    let [value, pattern, meter] = take(arguments)?;
    let Some(text) = value.downcast_ref::<CelString<'_>>() else {
        let types = [value.get_type().name(), STRING_TYPE.name()].map(str::to_owned);
        return Err(ExecutionError::no_such_member_overload("matches", types.to_vec()));
    };
    let pattern = usize::try_from(integer(&pattern)).unwrap_or(usize::MAX);
    let found = meter
        .downcast_ref::<Meter>()
        .and_then(|meter| meter.is_match(pattern, text.inner()))
        .ok_or_else(used_up)?;
    Ok(CowVal::owned(CelBool::from(found)))
}

fn first<'b, 'v>(arguments: Arguments<'b, 'v>) -> Result<'b, 'v> {
    let [list, meter] = take(arguments)?;
    let elements = list.downcast_ref::<CelList<'_>>().map(CelList::inner).unwrap_or_default();
    let found = elements.iter().find(|element| element.downcast_ref::<CelNull>().is_none());
    let found =
        found.map_or(CowVal::Borrowed(&NULL), |found| CowVal::Owned(found.clone_as_boxed()));
    charge(&meter, |meter| meter.charge(found.as_ref()))?;
    Ok(found)
}

/// What `make` makes of a text, charged for as what it is made of.
fn text<'b, 'v>(
    arguments: Arguments<'b, 'v>,
    function: &str,
    make: fn(&str) -> String,
) -> Result<'b, 'v> {
    let [value, meter] = take(arguments)?;
    if value.downcast_ref::<CelNull>().is_some() {
        return Ok(value);
    }
    let Some(text) = value.downcast_ref::<CelString<'_>>() else {
        let types = vec![value.get_type().name().to_owned()];
        return Err(ExecutionError::no_such_overload(function, types));
    };
    charge(&meter, |meter| meter.charge(text))?;
    Ok(CowVal::owned(CelString::from(make(text.inner()))))
}

/// An argument that the compiler has written.
fn integer(argument: &CowVal<'_, '_>) -> u64 {
    argument.downcast_ref::<CelInt>().map_or(0, |value| number(*value.inner()))
}

fn number(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn take<'b, 'v, const N: usize>(
    arguments: Arguments<'b, 'v>,
) -> std::result::Result<[CowVal<'b, 'v>; N], ExecutionError> {
    let given = arguments.len();
    arguments.try_into().map_err(|_| ExecutionError::invalid_argument_count(N, given))
}

fn charge(
    meter: &CowVal<'_, '_>,
    charge: impl FnOnce(&Meter) -> bool,
) -> std::result::Result<(), ExecutionError> {
    match meter.downcast_ref::<Meter>() {
        Some(meter) if charge(meter) => Ok(()),
        _ => Err(used_up()),
    }
}

fn used_up() -> ExecutionError {
    ExecutionError::function_error("@meter", "used up")
}
