//! What a template may cost, whatever the event.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::render_of;
use crate::template::Escape;
use crate::template::bounded::RENDERED_BYTES_MAX;

/// What the worst rendering may take; looked at where the code is optimised.
const WORST: Duration = Duration::from_millis(50);
const TOO_MUCH: &str = "it needs too many steps, or too much memory for intermediate values";

fn reason(text: &str, data: &Json) -> String {
    match render_of(Escape::Text, text, data) {
        Ok(rendered) => format!("{} bytes", rendered.len()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn numbers_that_filters_are_given_are_bounded() {
    let data = json!({"n": 2_000_000_000_i64, "text": "a\nb", "small": 3});
    for (text, expected) in [
        ("{{ data.text | indent(data.n) }}", "the width of `indent` must be at most 200"),
        ("{{ data.text | indent(width=data.n) }}", "the width of `indent` must be at most 200"),
        ("{{ data.text | indent(0 - data.n) }}", "the width of `indent` must be at most 200"),
        (
            "{{ [1] | batch(data.n, 'x') | list }}",
            "the number of `batch` and `slice` must be at most 10000",
        ),
        (
            "{{ [1] | slice(data.n) | list }}",
            "the number of `batch` and `slice` must be at most 10000",
        ),
        (
            "{{ ['a\nb'] | map('indent', data.n) | list }}",
            "the width of `indent` must be at most 200",
        ),
        ("{{ data | tojson(indent=data.n) }}", "the indentation of `tojson` must be at most 8"),
        (
            "{{ '%999999999s' | format(data.text) }}",
            "the digits of a width in `format` must be at most 3",
        ),
        ("{{ data.text * data.n }}", TOO_MUCH),
        ("{{ (data.n * data.text) | length }}", TOO_MUCH),
        ("{{ ([1, 2] * data.n) | length }}", TOO_MUCH),
        ("{% for i in [1] * data.n %}{% endfor %}", TOO_MUCH),
        ("{% for i in range(data.n) %}{% endfor %}", "invalid operation"),
    ] {
        let reason = reason(text, &data);
        assert!(reason.ends_with(expected), "{text}: {reason}");
    }
    for (text, expected) in [
        ("{{ data.text | indent(data.small) }}", "a\n   b"),
        ("{{ data.text | indent }}", "a\n    b"),
        ("{{ data.text | indent(2, true) }}", "  a\n  b"),
        ("{{ [1, 2, 3] | batch(2) | list }}", "[[1, 2], [3]]"),
        ("{{ [1, 2, 3] | slice(data.small) | length }}", "3"),
        ("{{ '-' * 10 }}{{ [1] * 2 }}{{ data.small * 7 }}", "----------[1, 1]21"),
        (
            "{{ 2 * 1.5 }} {{ 3 * true }} {{ 9000000000000000000 * 3 }}",
            "3.0 3 27000000000000000000",
        ),
        ("{{ '%5s|%.2f' | format(data.text, 1.234) }}", "  a\nb|1.23"),
    ] {
        assert_eq!(render_of(Escape::Text, text, &data).unwrap(), expected, "{text}");
    }
}

#[test]
fn texts_that_are_made_on_the_way_are_bounded() {
    let data = json!({"text": "x".repeat(1000), "list": vec!["y".repeat(100); 5_000], "empty": ""});
    let looped = |body: &str| {
        format!(
            "{{% set ns = namespace(s=data.text) %}}{{% for i in range(60) %}}{body}{{% endfor %}}\
             {{{{ ns.s | length }}}}"
        )
    };
    for text in [
        looped("{% set ns.s = ns.s ~ ns.s %}"),
        looped("{% set ns.s = ns.s + ns.s %}"),
        looped("{% set ns.s = ns.s * 2 %}"),
        looped("{% set ns.s = [ns.s, ns.s] | join %}"),
        looped("{% set ns.s = ns.s | replace('', ns.s) %}"),
        looped("{% set ns.s = [ns.s, ns.s] %}"),
        looped("{% set ns.s = {'a': ns.s, 'b': ns.s} %}"),
        looped("{% set ns.s = '%s%s' | format(ns.s, ns.s) %}"),
        looped("{% set x %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = x %}"),
        looped("{% set ns.s = ns.s | list | join(ns.s) %}"),
        looped("{% with a = ns.s ~ ns.s %}{% set ns.s = a %}{% endwith %}"),
        "{% set s = data.text %}".to_owned() + &"{% set s = s ~ s %}".repeat(60),
        "{{ data.text | replace('', data.text) | replace('', data.text) | length }}".to_owned(),
        "{{ data.list | join(data.text) | length }}".to_owned(),
        "{% set s %}{% for a in range(99999) %}0123456789abcdef0123456789abcdef0123456789abcdef{% endfor %}\
         {% endset %}{{ s | length }}"
            .to_owned(),
        "{% filter upper %}{% for a in data.list %}{{ data.text }}{% endfor %}{% endfilter %}".to_owned(),
    ] {
        let reason = reason(&text, &data);
        assert!(reason.ends_with(TOO_MUCH), "{text:.120}: {reason}");
    }
    let nested = "{% set ns = namespace(l=[]) %}{% for i in range(90000) %}{% set ns.l = [ns.l] %}{% endfor %}";
    assert!(reason(nested, &data).ends_with(TOO_MUCH), "{}", reason(nested, &data));
    let long = "{% for y in data.list %}{{ y }}{{ y }}{{ y }}{% endfor %}";
    assert!(reason(long, &data).contains(&RENDERED_BYTES_MAX.to_string()));
}

#[test]
fn work_that_makes_nothing_is_bounded() {
    let data = json!({
        "list": vec![7; 50_000],
        "text": "x".repeat(500_000),
        "other": "x".repeat(500_000),
        "map": (0..20_000).map(|i| (format!("k{i}"), json!(i))).collect::<serde_json::Map<_, _>>(),
    });
    let looped = |body: &str| format!("{{% for i in range(9000) %}}{body}{{% endfor %}}");
    for text in [
        looped("{% if 8 in data.list %}{% endif %}"),
        looped("{% if 'y' in data.text %}{% endif %}"),
        looped("{% if data.text == data.other ~ 'y' %}{% endif %}"),
        looped("{% if data.text < data.other %}{% endif %}"),
        looped("{% if data.list == data.list %}{% endif %}"),
        looped("{% if data.list is eq data.list %}{% endif %}"),
        looped("{% if data.text is lower %}{% endif %}"),
        looped("{% if data.text[499990:] %}{% endif %}"),
        looped("{{ range(9000)[8999] }}"),
        looped("{{ (data.list | reverse)[1] }}"),
        looped("{% if data.text | length %}{% endif %}"),
        looped("{% if data.map | dictsort %}{% endif %}"),
        looped("{% if loop.changed(data.list) %}{% endif %}"),
        "{{ data.list | select('in', data.list) | list | length }}".to_owned(),
        "{{ data.list | selectattr('x', 'equalto', data.text) | list | length }}".to_owned(),
    ] {
        let reason = reason(&text, &data);
        assert!(reason.ends_with(TOO_MUCH), "{text:.80}: {reason}");
    }
}

#[test]
fn every_rendering_ends_soon() {
    let data = json!({
        "list": vec![7; 100_000],
        "words": vec!["abcdefgh"; 20_000],
        "text": "x y\n".repeat(250_000),
        "objects": vec![json!({"a": {"b": 1}}); 20_000],
    });
    let mut worst = (Duration::ZERO, String::new());
    for text in [
        "{% for i in range(99999) %}{% for j in range(99999) %}{{ i }}{% endfor %}{% endfor %}",
        "{% for i in data.list %}{{ i }}{% endfor %}",
        "{% for o in data.objects %}{{ o.a.b }}{{ loop.index }}{% endfor %}",
        "{% for i in range(99999) %}{% if i == 5 and i in [1, 2] or i is odd %}{% endif %}{% endfor %}",
        "{% for w in data.words %}{{ w | upper | replace('A', 'bb') | trim }}{% endfor %}",
        "{{ data.words | map('upper') | map('replace', 'A', 'b') | join(',') | length }}",
        "{{ data.words | sort | unique | list | length }}",
        "{{ data.list | sort | length }}",
        "{{ data.text | split(' ') | join('--') | length }}",
        "{{ data.text | indent(20) | length }}",
        "{{ data | tojson | length }}",
        "{{ data.objects | tojson(indent=2) | length }}",
        "{% set ns = namespace(s='') %}{% for w in data.words %}{% set ns.s = ns.s ~ w %}{% endfor %}",
        "{% set ns = namespace(l=[]) %}{% for w in data.words %}{% set ns.l = ns.l + [w] %}{% endfor %}",
        "{{ (data.text ~ data.text) | length }}",
    ] {
        let took = (0..3).map(|_| {
            let started = Instant::now();
            let _ = reason(text, &data);
            started.elapsed()
        });
        let took = took.min().unwrap();
        println!("{took:>10.1?} {} {text}", reason(text, &data));
        worst = worst.max((took, text.to_owned()));
    }
    let limit = if cfg!(debug_assertions) { WORST * 40 } else { WORST };
    assert!(worst.0 < limit, "{worst:?}");
}

#[test]
fn counted_templates_come_to_the_same() {
    let data = json!({
        "id": "user_1", "first_name": "Mira", "n": 3, "list": [3, 1, 2], "none": null,
        "map": {"b": 1, "a": {"c": [1, {"d": "e"}]}}, "html": "<b>",
    });
    for (text, expected) in [
        ("{{ (data.n + 1 * 2 - 3) ~ 4 }}", "24"),
        ("{{ 2 ** 3 ** 2 }} {{ 7 // 2 }} {{ 7 / 2 }} {{ 7 % 4 }} {{ -7 // 2 }}", "64 3 3.5 3 -4"),
        ("{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ not 1 == 2 }}", "true false true"),
        ("{{ 'a' in 'abc' and 4 not in data.list or false }}", "true"),
        ("{{ 'x' if data.n > 2 else 'y' }}{{ 'z' if data.n > 5 }}", "x"),
        (
            "{{ data.list[0] }}{{ data.list[-1] }}{{ data.list[1:] }}{{ data.first_name[::2] }}",
            "32[1, 2]Mr",
        ),
        ("{{ data.map.a.c[1].d }}{{ data.map['b'] }}{{ data.map.a.c.0 }}", "e11"),
        (
            "{{ (1, 2) }}{{ [1, [2]] }}{{ {'a': {'b': 1}} }}{{ () }}",
            "[1, 2][1, [2]]{\"a\": {\"b\": 1}}[]",
        ),
        ("{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = (3, 4) %}{{ c[1] }}", "124"),
        ("{% for a, b in data.map | dictsort %}{{ a }}{{ loop.last }}{% endfor %}", "afalsebtrue"),
        ("{% for i in data.list if i > 1 %}{{ i }}{% else %}none{% endfor %}", "32"),
        ("{% for i in [] %}{% else %}none{% endfor %}", "none"),
        ("{% for i in data.missing %}x{% endfor %}{% for i in data.none %}x{% endfor %}", ""),
        ("{% for c in 'ab' %}{{ c }}-{% endfor %}", "a-b-"),
        ("{% set x %}a{{ data.n }}{% endset %}{{ x ~ x }}", "a3a3"),
        ("{% set x | upper %}a{% endset %}{{ x }}", "A"),
        ("{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}", "3"),
        ("{% filter upper | replace('A', 'b') %}a{% endfilter %}", "b"),
        ("{% if data.n is divisibleby 3 and data.n is not even %}y{% endif %}", "y"),
        ("{% if data.none is none and data.x is not defined %}y{% elif 1 %}n{% endif %}", "y"),
        ("{{ 'a' 'b' ~ \"c'd\" }}", "abc'd"),
        ("{{ data.list | sort(reverse=true) | map('string') | join('-') }}", "3-2-1"),
        ("{{ 1_000 + 1.5e1 + 0x10 }}", "1031.0"),
        ("a {{- ' b ' -}} c\n{%- if true +%}\nd{% endif %}", "a b c\nd"),
        ("{% raw %}{{ a }}{% endraw %}{# x #}{{ '}}' ~ '%}' }}", "{{ a }}}}%}"),
        ("{{ dict(a=1).a }}{{ range(3) | list }}{{ range(1, 3)[1] }}", "1[0, 1, 2]2"),
        ("{{ 'ä' ~ 'ö' }}{{ loop is defined }}", "äöfalse"),
    ] {
        assert_eq!(render_of(Escape::Text, text, &data).expect(text), expected, "{text}");
    }
    let html = render_of(Escape::Html, "{{ data.html ~ '<' }}{{ (data.html | safe) * 1 }}", &data);
    assert_eq!(html.unwrap(), "&lt;b&gt;&lt;&lt;b&gt;");
}
