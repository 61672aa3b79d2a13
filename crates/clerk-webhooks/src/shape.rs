//! `Shape`: what a payload's JSON may hold, as the payload structs declare it.

use serde_json::{Map, Number, Value};

use crate::time::UnixMillis;

/// What a value in a payload's JSON may be. [`catalog::shape`](crate::catalog::shape) has those of the
/// entities.
///
/// Clerk adds members: one that is not in a shape may be there all the same.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Shape {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A moment: a number of milliseconds, seldom of seconds, or an ISO-8601 text.
    Time,
    /// An object with these members.
    Object(fn() -> Vec<(&'static str, Shape)>),
    /// A list of such elements.
    List(Box<Shape>),
    /// Anything: metadata and other objects whose members only the application knows.
    Open,
}

/// A type that a payload's field may have.
pub(crate) trait Describe {
    fn shape() -> Shape;
}

/// The shape of a field, given how it is reached.
pub(crate) fn of_field<S, T: Describe>(_reach: fn(&S) -> &T) -> Shape {
    T::shape()
}

macro_rules! describe {
    ($($type:ty => $shape:expr,)+) => {
        $(impl Describe for $type {
            fn shape() -> Shape {
                $shape
            }
        })+
    };
}

describe! {
    String => Shape::Text,
    i64 => Shape::Integer,
    Number => Shape::Number,
    bool => Shape::Boolean,
    UnixMillis => Shape::Time,
    Map<String, Value> => Shape::Open,
}

impl<T: Describe> Describe for Option<T> {
    fn shape() -> Shape {
        T::shape()
    }
}

impl<T: Describe> Describe for Box<T> {
    fn shape() -> Shape {
        T::shape()
    }
}

impl<T: Describe> Describe for Vec<T> {
    fn shape() -> Shape {
        Shape::List(Box::new(T::shape()))
    }
}
