//! Between JSON, CEL's values and ours.

use std::collections::{BTreeMap, HashMap};

use cel::common::types::{
    CelBool, CelBytes, CelDouble, CelDuration, CelInt, CelList, CelMap, CelMapKey, CelNull,
    CelString, CelTimestamp, CelUInt,
};
use cel::common::value::Val;
use clerk_webhooks::UnixMillis;
use serde_json::{Number, Value as Json};

use crate::error::EvaluationErrorKind;
use crate::meter::{MAP_UNITS, take, text_units};
use crate::value::Value;

/// A JSON value as one of CEL's, and the work that is left after it; none where there is not enough.
pub(crate) fn to_cel(value: &Json, left: u64) -> Option<(Box<dyn Val + '_>, u64)> {
    let mut left = take(left, 1)?;
    let value: Box<dyn Val + '_> = match value {
        Json::Null => Box::new(CelNull),
        Json::Bool(value) => Box::new(CelBool::from(*value)),
        Json::Number(number) => number_to_cel(number),
        Json::String(text) => {
            left = take(left, text_units(text))?;
            Box::new(CelString::from(text.as_str()))
        }
        Json::Array(elements) => {
            let mut list = Vec::new();
            for element in elements {
                let (element, rest) = to_cel(element, left)?;
                list.push(element);
                left = rest;
            }
            Box::new(CelList::from(list))
        }
        Json::Object(members) => {
            left = take(left, MAP_UNITS)?;
            let mut map = HashMap::new();
            for (name, member) in members {
                let (member, rest) = to_cel(member, take(left, MAP_UNITS + text_units(name))?)?;
                map.insert(CelMapKey::from(name.as_str()), member);
                left = rest;
            }
            Box::new(CelMap::from(map))
        }
    };
    Some((value, left))
}

fn number_to_cel<'v>(number: &Number) -> Box<dyn Val + 'v> {
    if let Some(number) = number.as_i64() {
        Box::new(CelInt::from(number))
    } else if let Some(number) = number.as_u64() {
        Box::new(CelUInt::from(number))
    } else {
        Box::new(CelDouble::from(number.as_f64().unwrap_or(f64::NAN)))
    }
}

/// A JSON value as an expression gives it.
pub(crate) fn of_json(value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number
            .as_i64()
            .map(Value::Int)
            .or_else(|| number.as_u64().map(Value::UInt))
            .or_else(|| number.as_f64().map(Value::Float))
            .unwrap_or(Value::Null),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(_) | Json::Object(_) => Value::Json(value.to_string()),
    }
}

/// One of CEL's values as an expression gives it.
pub(crate) fn of_cel(value: &dyn Val) -> Result<Value, EvaluationErrorKind> {
    if let Some(time) = value.downcast_ref::<CelTimestamp>() {
        return Ok(Value::Time(millis(time)?));
    }
    // A number that is above all that Int holds stays exact on its way through JSON.
    to_json(value).map(|json| of_json(&json))
}

fn to_json(value: &dyn Val) -> Result<Json, EvaluationErrorKind> {
    if value.downcast_ref::<CelNull>().is_some() {
        Ok(Json::Null)
    } else if let Some(value) = value.downcast_ref::<CelBool>() {
        Ok(Json::from(*value.inner()))
    } else if let Some(value) = value.downcast_ref::<CelInt>() {
        Ok(Json::from(*value.inner()))
    } else if let Some(value) = value.downcast_ref::<CelUInt>() {
        Ok(Json::from(*value.inner()))
    } else if let Some(value) = value.downcast_ref::<CelDouble>() {
        let number = Number::from_f64(*value.inner());
        number.map(Json::Number).ok_or(EvaluationErrorKind::NotStorable("infinite or not a number"))
    } else if let Some(value) = value.downcast_ref::<CelString<'_>>() {
        Ok(Json::from(value.inner()))
    } else if let Some(value) = value.downcast_ref::<CelTimestamp>() {
        Ok(Json::from(millis(value)?.to_string()))
    } else if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        list.inner().iter().map(|element| to_json(element.as_ref())).collect()
    } else if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        map_to_json(map)
    } else {
        Err(EvaluationErrorKind::NotStorable(name_of_type(value)))
    }
}

fn map_to_json(map: &CelMap<'_>) -> Result<Json, EvaluationErrorKind> {
    let mut members = BTreeMap::new();
    for (key, value) in map.inner() {
        let name = match key {
            CelMapKey::Bool(key) => key.inner().to_string(),
            CelMapKey::Int(key) => key.inner().to_string(),
            CelMapKey::UInt(key) => key.inner().to_string(),
            CelMapKey::String(key) => key.inner().to_owned(),
        };
        if members.insert(name, to_json(value.as_ref())?).is_some() {
            return Err(EvaluationErrorKind::DuplicateKey);
        }
    }
    Ok(Json::Object(members.into_iter().collect()))
}

fn millis(time: &CelTimestamp) -> Result<UnixMillis, EvaluationErrorKind> {
    UnixMillis::from_millis(time.inner().timestamp_millis()).ok_or(EvaluationErrorKind::OutOfRange)
}

fn name_of_type(value: &dyn Val) -> &'static str {
    if value.downcast_ref::<CelBytes<'_>>().is_some() {
        "bytes"
    } else if value.downcast_ref::<CelDuration>().is_some() {
        "a duration"
    } else {
        "a type"
    }
}
