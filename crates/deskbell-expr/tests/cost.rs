//! What an evaluation may cost, whatever the expression and the event: work is counted, and bounded.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use deskbell_expr::{EvaluationErrorKind, EventParts, EventView, Expression, Value};
use serde_json::{Map, Value as Json, json};

/// What the worst evaluation may take where the code is optimised.
const WORST: Duration = Duration::from_millis(50);
/// Unoptimised code is ten times slower and more, and says nothing about the limit.
const LIMIT: Duration = if cfg!(debug_assertions) { WORST.saturating_mul(40) } else { WORST };

const PARTS: EventParts<'_> = EventParts {
    id: "msg_1",
    event_type: "user.updated",
    source: "clerk",
    subject: None,
    occurred_at_ms: 1_716_883_200_000,
    instance_id: None,
};

/// An evaluation that is over the limit is made again, since other processes may have taken the time.
fn took(
    expression: &Expression,
    view: &EventView<'_>,
) -> (Duration, Result<Value, EvaluationErrorKind>) {
    let trial = || {
        let started = Instant::now();
        let result = expression.evaluate(view).map_err(|error| error.kind);
        (started.elapsed(), result)
    };
    let in_time = std::iter::repeat_with(trial).take(2).find(|(took, _)| *took < LIMIT);
    in_time.unwrap_or_else(trial)
}

/// Elements of `data.list`: what costs much at each of them fits into the limit with few.
const SIZES: [usize; 7] = [10, 30, 100, 300, 1_000, 3_000, 10_000];

/// Nothing that a person can write about themselves is near as large.
fn large_event(size: usize) -> Json {
    let map: Map<String, Json> = (0..size * 6).map(|i| (format!("k{i}"), json!(1))).collect();
    let long_keys: Map<String, Json> =
        (0..500).map(|i| (format!("{}{i}", "k".repeat(2_000)), json!(1))).collect();
    json!({
        "zeros": vec![0; 500_000],
        "list": vec![1; size],
        "tags": vec!["-"; 2_000],
        "words": vec!["abcdefghijklmnopqrstuvwxyz"; 5_000],
        "times": vec!["2024-05-28T08:00:00Z"; 5_000],
        "text": "a".repeat(1_000_000),
        "map": map,
        "long_keys": long_keys,
        "objects": vec![json!({"a": {"b": {"c": 1}}}); 20_000],
        "primary_email_address_id": "none",
        "email_addresses": vec![json!({"id": "x"}); 100_000],
    })
}

fn repeated(part: &str, separator: &str, times: usize) -> String {
    vec![part; times].join(separator)
}

/// Loops of one element inside one another, around an expression.
fn nested(inner: &str, levels: usize) -> String {
    let mut text = inner.to_owned();
    for level in 0..levels {
        text = format!("[0].map(x{level}, {text})");
    }
    text
}

fn expensive() -> Vec<String> {
    let mut texts: Vec<String> = [
        "data.zeros",
        "data.map",
        "data.objects",
        "size(data.zeros) == 1",
        "data.zeros.map(x, x)",
        "data.zeros.map(x, [[[x]]])",
        "data.zeros.map(x, {'a': x})",
        "data.list.map(x, {'a': x, 'b': [x, x], 'c': {'d': x}})",
        "data.zeros.exists_one(x, x == 1)",
        "data.list.all(x, data.list == data.list)",
        "data.list.all(x, !(x + 1 in data.list))",
        "data.list.all(x, data.map == data.map)",
        "data.list.all(x, user.primary_email_address == null)",
        "data.list.all(x, has(user.full_name) || true)",
        "data.map.all(k, k != '')",
        "data.long_keys.all(k, k != '')",
        "data.list.all(x, data.long_keys.all(k, k != ''))",
        "data.objects.all(x, x.a.b.c == 1)",
        "data.objects.map(x, x.a)",
        "data.objects.map(x, x)",
        "data.times.all(t, timestamp(t).getHours('Asia/Tokyo') > -1)",
        "data.times.all(t, timestamp(t) - timestamp(t) == duration('0s'))",
        "data.words.all(t, duration(t) == duration('1s') || true)",
        "data.words.all(t, string(bytes(t)) == t)",
        "data.list.all(x, data.text.contains('b') || true)",
        "data.list.all(x, size(data.text) > 0)",
        "data.list.map(x, data.text + data.text)",
        "[bytes(data.text)].map(b, data.list.map(x, b + b))",
        r"data.tags.exists(t, t.matches('^\\w{1,64}$'))",
        r"data.words.exists(t, t.matches('^[\\w.+-]{1,64}@[\\w-]{1,63}$'))",
        r"data.text.matches('\\pL{1,200}-$')",
        "data.text.matches('^(a*)*b$')",
        "data.text.matches('(a|aa)+b')",
        "data.text.matches('(?i)x')",
        "data.list.all(x, lower(data.text) != upper(data.text))",
        "data.list.all(x, trim(data.text) == '' || true)",
        "data.list.all(x, coalesce(null, data.list, data.map) != null)",
        "data.list.all(x, data.text.matches('b') || true)",
    ]
    .map(str::to_owned)
    .into();
    texts.push(format!("data.zeros.all(x, {})", repeated("x == 0", " && ", 400)));
    texts.push(format!("data.list.all(x, {})", repeated("x == 1", " && ", 400)));
    texts.push(format!("data.list.all(x, {} || true)", repeated("x < 'a'", " || ", 350)));
    texts.push(format!("data.list.all(x, {} || true)", repeated("!x", " || ", 600)));
    texts.push(format!("data.list.all(x, [{}] != [])", repeated("x", ",", 1_900)));
    texts.push(format!("[data.text].map(s, {})", repeated("s", " + ", 40)));
    texts.push(format!("[data.list].map(s, {})", repeated("s", " + ", 40)));
    texts.push(format!("{}data.text{}", "string(bytes(".repeat(20), "))".repeat(20)));
    texts.push(format!("{}data.text{}", "lower(upper(trim(".repeat(14), ")))".repeat(14)));
    texts.push(format!("coalesce({})", repeated("data.text", ", ", 300)));
    texts.push(format!("{}data.list{}", "coalesce(null, ".repeat(40), ")".repeat(40)));
    texts.push(format!("({})", repeated("data.list == data.list", " && ", 150)));
    texts.push(nested("data.list", 14));
    texts.push(nested("data.map", 14));
    texts.push(nested("data.list.map(x, [x])", 12));
    let mut grown = "data.list".to_owned();
    for level in 0..10 {
        grown = format!("[{grown}].map(x{level}, x{level} + x{level})[0]");
    }
    texts.push(grown);
    texts
}

#[test]
fn every_evaluation_ends_soon() {
    let mut report = String::new();
    let mut worst = Duration::ZERO;
    let events = SIZES.map(|size| (size, large_event(size)));
    let all = expensive();
    let largest = SIZES[SIZES.len() - 1];
    let of_all_sizes = |text: &str| text.contains("data.list") || text.contains("data.map");
    let trials = all.iter().flat_map(|text| events.iter().map(move |event| (text, event)));
    for (text, (size, data)) in
        trials.filter(|(text, (size, _))| *size == largest || of_all_sizes(text))
    {
        let expression =
            Expression::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let view = EventView::of_data(PARTS, data, &[]);
        let (took, result) = took(&expression, &view);
        worst = worst.max(took);
        let ended = match &result {
            Ok(_) => "ok".to_owned(),
            Err(kind) => format!("{kind}"),
        };
        let _ = writeln!(report, "{took:>10.1?} {size:>6} {ended:.40} {text:.80}");
        let fails = matches!(result, Err(EvaluationErrorKind::EvaluatorFailed));
        assert!(!fails, "{text}");
    }
    println!("{report}");
    assert!(worst < LIMIT, "{worst:?}\n{report}");
}

#[test]
fn a_pattern_is_compiled_with_its_expression() {
    let data = json!({"tags": vec!["-"; 2_000]});
    let text = r"data.tags.exists(t, t.matches('^\\w{1,64}$'))";
    let expression = Expression::compile(text).unwrap();
    let view = EventView::of_data(PARTS, &data, &[]);
    assert!(expression.evaluate(&view) == Ok(Value::Bool(false)), "2,000 tags are not too much");
    let (took, _) = took(&expression, &view);
    // Compiling this pattern takes longer than a millisecond: 2,000 times would be many seconds.
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn patterns_are_judged_when_an_expression_is_compiled() {
    for (pattern, expected) in [
        ("(", "invalid regular expression in `matches` at column 16: unclosed group"),
        (
            r"\\pL{1,10000}",
            "the pattern of `matches` at column 16 is too large: it needs more than 10485760 bytes",
        ),
    ] {
        let error = Expression::compile(&format!("data.id.matches('{pattern}')")).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    for text in
        ["data.id.matches(data.x)", "matches(data.id)", "data.id.matches('a', 'b')", "matches('a')"]
    {
        assert!(Expression::compile(text).is_err(), "{text}");
    }
}

#[test]
fn matches_is_as_it_was() {
    let data = json!({"id": "user_1", "n": 1, "list": ["a", null]});
    let view = EventView::of_data(PARTS, &data, &[]);
    for (text, expected) in [
        ("data.id.matches('^user_')", Some(Value::Bool(true))),
        ("matches(data.id, '^org_')", Some(Value::Bool(false))),
        ("data.missing.matches('x')", Some(Value::Null)),
        ("data.missing.matches('x') || true", Some(Value::Bool(true))),
        ("data.list.exists(x, x.matches('a'))", Some(Value::Bool(true))),
        ("data.n.matches('x')", None),
        ("('a' + 'b').matches('^ab$')", Some(Value::Bool(true))),
    ] {
        let value = Expression::compile(text).unwrap().evaluate(&view);
        match expected {
            Some(expected) => assert!(value == Ok(expected), "{text}: {value:?}"),
            None => assert!(
                matches!(value.unwrap_err().kind, EvaluationErrorKind::WrongTypes { .. }),
                "{text}"
            ),
        }
    }
}

#[test]
fn the_verdict_does_not_depend_on_what_was_evaluated_before() {
    let data = large_event(10_000);
    let view = EventView::of_data(PARTS, &data, &[]);
    let expression = Expression::compile(r"data.words.all(t, t.matches('^\\w{1,26}$'))").unwrap();
    let first = expression.evaluate(&view);
    for _ in 0..3 {
        assert!(expression.evaluate(&view) == first);
    }
    let threads: Vec<_> = std::thread::scope(|scope| {
        let evaluate = || scope.spawn(|| expression.evaluate(&view));
        [evaluate(), evaluate(), evaluate()].map(|thread| thread.join().unwrap()).into()
    });
    assert!(threads.iter().all(|result| *result == first));
}
