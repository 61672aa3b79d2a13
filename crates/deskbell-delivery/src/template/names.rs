//! The tests behind `is`, and the functions.

use minijinja::value::Rest;
use minijinja::{Environment, Error, State, Value, functions, tests};

/// Adds every test that there is.
pub(super) fn add_tests(environment: &mut Environment<'_>) {
    for (name, test) in all_tests() {
        let call = move |state: &State<'_, '_>, arguments: Rest<Value>| {
            Ok::<_, Error>(test.call(state, &arguments)?.is_true())
        };
        environment.add_test(name, call);
    }
}

/// Adds every function that there is: without `debug`, which prints all values.
pub(super) fn add_functions(environment: &mut Environment<'_>) {
    for (name, function) in all_functions() {
        environment.add_global(name, function);
    }
}

pub(super) fn all_functions() -> [(&'static str, Value); 3] {
    [
        ("range", Value::from_function(functions::range)),
        ("dict", Value::from_function(functions::dict)),
        ("namespace", Value::from_function(functions::namespace)),
    ]
}

pub(super) fn all_tests() -> [(&'static str, Value); 42] {
    [
        ("defined", Value::from_function(tests::is_defined)),
        ("undefined", Value::from_function(tests::is_undefined)),
        // What is missing is undefined, and people write `none`.
        ("none", Value::from_function(|value: &Value| value.is_none() || value.is_undefined())),
        ("safe", Value::from_function(tests::is_safe)),
        ("escaped", Value::from_function(tests::is_safe)),
        ("boolean", Value::from_function(tests::is_boolean)),
        ("odd", Value::from_function(tests::is_odd)),
        ("even", Value::from_function(tests::is_even)),
        ("divisibleby", Value::from_function(tests::is_divisibleby)),
        ("number", Value::from_function(tests::is_number)),
        ("integer", Value::from_function(tests::is_integer)),
        ("int", Value::from_function(tests::is_integer)),
        ("float", Value::from_function(tests::is_float)),
        ("string", Value::from_function(tests::is_string)),
        ("sequence", Value::from_function(tests::is_sequence)),
        ("iterable", Value::from_function(tests::is_iterable)),
        ("mapping", Value::from_function(tests::is_mapping)),
        ("startingwith", Value::from_function(tests::is_startingwith)),
        ("endingwith", Value::from_function(tests::is_endingwith)),
        ("lower", Value::from_function(tests::is_lower)),
        ("upper", Value::from_function(tests::is_upper)),
        ("sameas", Value::from_function(tests::is_sameas)),
        ("eq", Value::from_function(tests::is_eq)),
        ("equalto", Value::from_function(tests::is_eq)),
        ("==", Value::from_function(tests::is_eq)),
        ("ne", Value::from_function(tests::is_ne)),
        ("!=", Value::from_function(tests::is_ne)),
        ("lt", Value::from_function(tests::is_lt)),
        ("lessthan", Value::from_function(tests::is_lt)),
        ("<", Value::from_function(tests::is_lt)),
        ("le", Value::from_function(tests::is_le)),
        ("<=", Value::from_function(tests::is_le)),
        ("gt", Value::from_function(tests::is_gt)),
        ("greaterthan", Value::from_function(tests::is_gt)),
        (">", Value::from_function(tests::is_gt)),
        ("ge", Value::from_function(tests::is_ge)),
        (">=", Value::from_function(tests::is_ge)),
        ("in", Value::from_function(tests::is_in)),
        ("true", Value::from_function(tests::is_true)),
        ("false", Value::from_function(tests::is_false)),
        ("filter", Value::from_function(tests::is_filter)),
        ("test", Value::from_function(tests::is_test)),
    ]
}
