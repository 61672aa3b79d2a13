//! Garbage, and texts and events made to be expensive: an error at the worst, soon, and never a panic.

use std::time::{Duration, Instant};

use deskbell_expr::{
    EXPRESSION_BYTES_MAX, EvaluationError, EvaluationErrorKind, EventParts, EventView, Expression,
    ExpressionError, Value,
};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

const PARTS: EventParts<'_> = EventParts {
    id: "msg_1",
    event_type: "user.updated",
    source: "clerk",
    subject: None,
    occurred_at_ms: 1_716_883_200_000,
    instance_id: None,
};

#[test]
fn wrong_texts_are_explained() {
    for (text, expected) in [
        ("usr.id", "unknown name `usr` at column 1, did you mean `user`?"),
        (
            "user.id == orgnization.id",
            "unknown name `orgnization` at column 12, did you mean `organization`?",
        ),
        ("qqq", "unknown name `qqq` at column 1"),
        ("sise(data)", "unknown function `sise` at column 5, did you mean `size`?"),
        (
            "data.id.startWith('x')",
            "unknown function `startWith` at column 18, did you mean `startsWith`?",
        ),
        ("data.list.map(x, y)", "unknown name `y` at column 18"),
        ("data.list.map(x, x) == x", "unknown name `x` at column 24"),
    ] {
        let error = Expression::compile(text).unwrap_err().to_string();
        assert_eq!(error, expected, "{text}");
    }
    for (text, place) in [("data.", 6), ("data.id ==", 11), ("a b", 3), ("", 1), ("'x", 1)] {
        let error = Expression::compile(text).unwrap_err();
        let ExpressionError::Syntax { line: 1, column, reason } = error else {
            panic!("{text}: {error}");
        };
        assert_eq!(column, place, "{text}: {reason}");
    }
    for text in [
        "data.id.matches(data.x)",
        "data.id.matches('(')",
        "optional.of(1)",
        "Message{a: 1}",
        "data.map(x)",
        "[?data.id]",
        "{?'a': data.id}",
        "default(data.id)",
        "coalesce()",
        "lower(data.id, 1)",
        "data.id.lower()",
        "@meter",
        "has(data)",
    ] {
        assert!(Expression::compile(text).is_err(), "{text}");
    }
}

#[test]
fn long_and_deep_texts_are_refused() {
    let long = format!("'{}'", "x".repeat(EXPRESSION_BYTES_MAX));
    assert_eq!(
        Expression::compile(&long).unwrap_err(),
        ExpressionError::TooLong { bytes: long.len() }
    );
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{1:", "}"),
        ("!", ""),
        ("-", ""),
        ("- ", ""),
        ("size(", ")"),
        ("[1].map(x, ", ")"),
        ("true ? 1 : ", ""),
        ("1 + ", ""),
        ("1 == ", ""),
        ("'a' in ", ""),
        ("data.", "data"),
        ("data[", "]"),
        ("true || ", ""),
        ("1 * ", ""),
        ("dyn(", ")"),
        ("", ".size()"),
        ("", "[0]"),
        ("\"", ""),
        ("((", ""),
        ("[[", ""),
        ("{", ""),
        ("`", "`"),
    ] {
        for most in [40, 400, EXPRESSION_BYTES_MAX] {
            let times = most / (open.len() + close.len());
            let text = format!("{}data{}", open.repeat(times), close.repeat(times));
            let text: String = text.chars().take(EXPRESSION_BYTES_MAX).collect();
            let started = Instant::now();
            if let Ok(expression) = Expression::compile(&text) {
                let _ = expression.evaluate(&EventView::of_data(PARTS, &Json::Null, &[]));
            }
            let took = started.elapsed();
            assert!(took < Duration::from_secs(20), "{took:?}: {}", &text[..40.min(text.len())]);
        }
    }
    assert!(Expression::compile(&format!("{}1", "1+".repeat(40))).is_ok());
    assert!(Expression::compile(&format!("data{}", ".a".repeat(1000))).is_ok());
}

#[test]
fn work_is_bounded() {
    let data = json!({"list": vec![0; 2000], "text": "x".repeat(100_000)});
    for text in [
        "data.list.map(a, data.list.map(b, data.list.map(c, 1)))",
        "data.list.all(a, data.list.all(b, data.list.all(c, true)))",
        "data.list.map(a, data.text + data.text)",
        "[data.list].map(a, [a + a + a + a].map(b, [b + b + b + b].map(c, [c + c + c + c].map(d, [d + d + d + d].map(e, e + e + e + e)))))",
        "[data.list].map(a, [[a, a, a, a]].map(b, [[b, b, b, b]].map(c, [[c, c, c, c]].map(d, [[d, d, d, d]].map(e, [e, e, e, e])))))",
        "data.list.exists(x, data.text.matches('y'))",
        "data.list.exists(x, data.list.exists(y, data.list.exists(z, z == 1)) || false)",
    ] {
        let expression = Expression::compile(text).unwrap();
        let view = EventView::of_data(PARTS, &data, &[]);
        let started = Instant::now();
        let error = expression.evaluate(&view).unwrap_err();
        assert_eq!(error.kind, EvaluationErrorKind::TooMuchWork, "{text}");
        assert!(started.elapsed() < Duration::from_secs(20), "{text}: {:?}", started.elapsed());
    }
    let literals = format!("[{}0]", "0,".repeat(400));
    let text = format!("{literals}.map(a, {literals}.map(b, {literals}.map(c, 1)))");
    let error = Expression::compile(&text)
        .unwrap()
        .evaluate(&EventView::of_data(PARTS, &data, &[]))
        .unwrap_err();
    assert_eq!(error.kind, EvaluationErrorKind::TooMuchWork);
}

#[test]
fn a_payload_of_a_mebibyte_is_evaluated() {
    let data = json!({"list": vec![0; 500_000]});
    let view = EventView::of_data(PARTS, &data, &[]);
    assert!(Expression::compile("size(data.list) == 500000").unwrap().evaluate(&view).is_ok());
}

#[test]
fn edges_of_types_do_not_panic() {
    let data = json!({"min": i64::MIN, "max": i64::MAX, "umax": u64::MAX, "f": 1e308, "text": "é\u{1F600}\0"});
    let view = EventView::of_data(PARTS, &data, &[]);
    for text in [
        "data.min / -1",
        "data.min % -1",
        "data.min * -1",
        "data.max + 1",
        "data.umax + 1u",
        "int(data.umax)",
        "int(data.f)",
        "uint(data.f)",
        "uint(data.min)",
        "int(data.f * 10.0)",
        "int(data.f * 10.0 - data.f * 10.0)",
        "uint(data.f * 10.0 - data.f * 10.0)",
        "[1, 2][data.f]",
        "[1, 2][data.f * 10.0]",
        "[1, 2][data.umax]",
        "{1: 2}[data.f]",
        "timestamp(data.min)",
        "timestamp(data.max)",
        "timestamp('0000-01-01T00:00:00Z')",
        "timestamp('9999-12-31T23:59:59.999999999Z')",
        "timestamp('9999-12-31T23:59:59Z').getHours('+99:99')",
        "timestamp('9999-12-31T23:59:59Z').getFullYear('+23:59')",
        "timestamp('0001-01-01T00:00:00Z').getFullYear('-23:59')",
        "timestamp('0001-01-01T00:00:00Z').getDayOfYear('Asia/Tokyo')",
        "timestamp(occurred_at).getHours(data.text)",
        "timestamp(occurred_at).getHours('')",
        "timestamp(occurred_at).getHours('+')",
        "timestamp(occurred_at).getHours('-:')",
        "timestamp(occurred_at).getHours('é:é')",
        "timestamp('0001-01-01T00:00:00+23:59')",
        "timestamp('9999-12-31T23:59:59-23:59')",
        "timestamp('9999-12-31T23:59:59Z') + duration('1s')",
        "timestamp('0001-01-01T00:00:00Z') - duration('1s')",
        "timestamp('9999-12-31T23:59:59Z') - timestamp('0001-01-01T00:00:00Z')",
        "duration('9223372036854775807s')",
        "duration('-9223372036854775808ns')",
        "duration('9223372036854775807h')",
        "duration('1e400s')",
        "duration('.s')",
        "duration('é')",
        "duration('315576000000s') + duration('315576000000s')",
        "duration('9223372036s') + duration('9223372036854775ms')",
        "duration('-9223372036s').getMilliseconds()",
        "string(duration('-9223372036.854775808s'))",
        "string(bytes(data.text))",
        r"string(b'\xff')",
        "double('nan') < double('nan')",
        "double('inf') == data.f",
        r"data.text.matches('\\p{L}+')",
        "size(data.text)",
        "string(data.f)",
        "0x7fffffffffffffff + 0",
        "-9223372036854775808",
        "18446744073709551615u",
    ] {
        let expression =
            Expression::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(!evaluator_failed(&expression.evaluate(&view)), "{text}");
    }
}

#[test]
fn expressions_are_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + std::fmt::Debug>() {}
    fn sent<T: Send + Sync>() {}
    shared::<Expression>();
    sent::<EventView<'_>>();
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,8}".prop_map(Json::from),
        "[-+]?[0-9]{1,20}(s|ms|h)?".prop_map(Json::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})"
            .prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::btree_map("[a-d]", inner, 0..5).prop_map(|members| json!(members)),
        ]
    })
}

fn any_token() -> impl Strategy<Value = String> {
    prop_oneof![
        "(data|user|a|x|id|null|true|has|map|exists|size|timestamp|matches|in|int|optional|of|Foo)",
        r"(\.|,|\(|\)|\[|\]|\{|\}|\?|:|&&|\|\||!|-|\+|==|<|%|/|@|#|`| |\n|//)",
        "(0|1|-1|0x[0-9a-f]{1,20}|[0-9]{1,25}|1e[0-9]{1,4}|1u|'x'|'|\"|\"\"\"|''')",
        r#"(r'\\'|b'\\xff'|\\[abfnrtvxuU0-9?'"`]{1,9})"#,
        r"b?'\\[abfnrtvxuU0-7]{1,9}[0-9a-fA-F]{0,8}'",
    ]
}

fn evaluator_failed(evaluated: &Result<Value, EvaluationError>) -> bool {
    matches!(evaluated, Err(error) if error.kind == EvaluationErrorKind::EvaluatorFailed)
}

/// Texts that mostly are expressions.
fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "(data|user|data\\.a|data\\.b|data\\.a\\.b|data\\.c\\[0\\]|occurred_at|id|type|x)",
        "-?[0-9]{1,20}u?",
        "[0-9]{1,3}\\.[0-9]{1,3}(e[0-9]{1,3})?",
        "'[a-z0-9:TZ+.-]{0,9}'",
        "(null|true|false|int|b'x'|''|9223372036854775807|-9223372036854775808)",
        "(timestamp\\(('9999-12-31T23:59:59Z'|'0001-01-01T00:00:00Z'|-?[0-9]{1,19})\\))",
        "duration\\('-?[0-9]{1,19}(s|h|m|ns)'\\)",
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let operators = "( \\+ | - | \\* | / | % | == | != | < | >= | && | \\|\\| | in )";
        let functions = "(lower|upper|trim|coalesce|size|int|uint|double|string|bytes|bool|timestamp|duration|dyn|type|-|!)";
        let methods = "(size|contains|startsWith|getHours|getFullYear|getSeconds|getMilliseconds|getDayOfYear|getDayOfWeek)";
        let macros = "(all|exists|exists_one|map|filter)";
        prop_oneof![
            (inner.clone(), operators, inner.clone()).prop_map(|(a, o, b)| format!("({a}{o}{b})")),
            (functions, inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
            (inner.clone(), methods, prop::option::of(inner.clone()))
                .prop_map(|(a, m, b)| format!("({a}).{m}({})", b.unwrap_or_default())),
            (inner.clone(), macros, inner.clone()).prop_map(|(a, m, b)| format!("({a}).{m}(x, {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            inner.clone().prop_map(|a| format!("has(({a}).a.b)")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("default(({a}).?a[?0], {b})")),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(", "))),
            (inner.clone(), inner).prop_map(|(a, b)| format!("{{{a}: {b}}}")),
        ]
    })
}

proptest! {
    // A failure prints its case; it belongs in a test of its own.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in ".{0,60}") {
        let failed = matches!(Expression::compile(&text), Err(ExpressionError::ParserFailed));
        prop_assert!(!failed);
    }

    #[test]
    fn no_heap_of_tokens_panics(tokens in prop::collection::vec(any_token(), 0..24)) {
        let compiled = Expression::compile(&tokens.concat());
        prop_assert!(!matches!(compiled, Err(ExpressionError::ParserFailed)));
        if let Ok(expression) = compiled {
            let evaluated = expression.evaluate(&EventView::of_data(PARTS, &json!({"a": [1, "x"]}), &[]));
            prop_assert!(!evaluator_failed(&evaluated));
        }
    }

    #[test]
    fn no_expression_panics(text in any_expression(), data in any_json()) {
        match Expression::compile(&text) {
            Err(error) => prop_assert_ne!(error, ExpressionError::ParserFailed),
            Ok(expression) => {
                let view = EventView::of_data(PARTS, &data, &[]);
                let evaluated = expression.evaluate(&view);
                prop_assert!(!evaluator_failed(&evaluated));
                prop_assert!(evaluated == expression.evaluate(&view), "it differs the second time");
                let _ = expression.holds(&view);
            }
        }
    }
}
