//! What templates can call, for the reference page. A test renders every example.

/// A filter, a test or a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// Its name, and others for the same.
    pub names: &'static [&'static str],
    /// What it gives, or when it holds, in Markdown.
    pub gives: &'static str,
    pub example: &'static str,
    /// What the example renders to.
    pub rendered: &'static str,
}

/// What stands behind `|`.
pub const FILTERS: &[Reference] = &[
    reference(
        &["default", "d"],
        "the value, or the argument if it is missing or null; with `true` as a second argument, also if it is empty",
        r#"{{ user.last_name | default("friend") }}"#,
        "friend",
    ),
    reference(&["upper"], "the text in upper case", r#"{{ "Mira" | upper }}"#, "MIRA"),
    reference(&["lower"], "the text in lower case", r#"{{ "Mira" | lower }}"#, "mira"),
    reference(
        &["title"],
        "every word with a capital",
        r#"{{ "mira van dyk" | title }}"#,
        "Mira Van Dyk",
    ),
    reference(
        &["capitalize"],
        "the text with a capital, the rest in lower case",
        r#"{{ "mIRA" | capitalize }}"#,
        "Mira",
    ),
    reference(
        &["trim"],
        "the text without white space, or the given characters, at its ends",
        r#"{{ "  Mira " | trim }}"#,
        "Mira",
    ),
    reference(
        &["replace"],
        "the text with every occurrence replaced",
        r#"{{ "a-b-c" | replace("-", " ") }}"#,
        "a b c",
    ),
    reference(
        &["split"],
        "the parts of a text; without an argument, its words",
        r#"{{ "a,b" | split(",") | last }}"#,
        "b",
    ),
    reference(&["lines"], "the lines of a text", r#"{{ "a\nb" | lines | length }}"#, "2"),
    reference(
        &["indent"],
        "the text with every line but the first indented; `true` for the first too",
        r#"{{ "a\nb" | indent(2) | tojson }}"#,
        r#""a\n  b""#,
    ),
    reference(
        &["format"],
        "a text with values filled in, as `printf` does",
        r#"{{ "%s has %d" | format("Mira", 3) }}"#,
        "Mira has 3",
    ),
    reference(&["string"], "the value as text", r#"{{ 3 | string ~ "%" }}"#, "3%"),
    reference(
        &["escape", "e"],
        "the text escaped for HTML",
        r#"{{ "<b>" | escape }}"#,
        "&lt;b&gt;",
    ),
    reference(
        &["safe"],
        "the text as it is, without escaping; not in `blocks` of `slack`",
        r#"{{ "<b>" | safe }}"#,
        "<b>",
    ),
    reference(
        &["tojson"],
        "the value as JSON; with a number, indented",
        r#"{{ {"id": [1]} | tojson }}"#,
        r#"{"id":[1]}"#,
    ),
    reference(
        &["pprint"],
        "the value for a developer's eyes",
        r#"{{ "Mira" | pprint }}"#,
        r#""Mira""#,
    ),
    reference(
        &["length", "count"],
        "the number of characters, elements or members",
        r#"{{ "Mira" | length }}"#,
        "4",
    ),
    reference(&["first"], "the first element or character", "{{ [1, 2] | first }}", "1"),
    reference(&["last"], "the last element or character", "{{ [1, 2] | last }}", "2"),
    reference(&["join"], "the elements in one text", r#"{{ ["a", "b"] | join(", ") }}"#, "a, b"),
    reference(
        &["list"],
        "the elements, the names of the members, or the characters as a list",
        r#"{{ "ab" | list | join("-") }}"#,
        "a-b",
    ),
    reference(
        &["reverse"],
        "the elements or characters from the last to the first",
        r#"{{ "abc" | reverse }}"#,
        "cba",
    ),
    reference(
        &["sort"],
        "the elements in order; `reverse=true`, `attribute=`, `case_sensitive=true`",
        "{{ [3, 1, 2] | sort | join }}",
        "123",
    ),
    reference(
        &["unique"],
        "the elements without repetitions; `attribute=`",
        "{{ [1, 2, 1] | unique | join }}",
        "12",
    ),
    reference(&["min"], "the smallest element", "{{ [3, 1, 2] | min }}", "1"),
    reference(&["max"], "the largest element", "{{ [3, 1, 2] | max }}", "3"),
    reference(&["sum"], "the sum of the elements", "{{ [3, 1, 2] | sum }}", "6"),
    reference(
        &["map"],
        "for each element an attribute of it, or what a filter gives",
        r#"{{ [{"id": 1}, {"id": 2}] | map(attribute="id") | join }}"#,
        "12",
    ),
    reference(
        &["select"],
        "the elements for which a test holds",
        r#"{{ [1, 2, 3] | select("odd") | join }}"#,
        "13",
    ),
    reference(
        &["reject"],
        "the elements for which a test does not hold",
        r#"{{ [1, 2, 3] | reject("odd") | join }}"#,
        "2",
    ),
    reference(
        &["selectattr"],
        "the elements for whose attribute a test holds",
        r#"{{ [{"id": 1}, {"id": 2}] | selectattr("id", "gt", 1) | length }}"#,
        "1",
    ),
    reference(
        &["rejectattr"],
        "the elements for whose attribute a test does not hold",
        r#"{{ [{"id": 1}, {"id": 2}] | rejectattr("id", "gt", 1) | length }}"#,
        "1",
    ),
    reference(
        &["groupby"],
        "pairs of an attribute's value and the elements that have it",
        r#"{% for role, all in [{"role": "a"}, {"role": "b"}, {"role": "a"}] | groupby("role") %}{{ role }}{{ all | length }}{% endfor %}"#,
        "a2b1",
    ),
    reference(
        &["batch"],
        "lists of so many elements",
        "{% for row in [1, 2, 3] | batch(2) %}{{ row | join }};{% endfor %}",
        "12;3;",
    ),
    reference(
        &["slice"],
        "so many lists with the elements spread over them",
        "{% for part in [1, 2, 3] | slice(2) %}{{ part | join }};{% endfor %}",
        "12;3;",
    ),
    reference(
        &["chain"],
        "the elements of several lists, one list after another",
        "{{ [1, 2] | chain([3]) | join }}",
        "123",
    ),
    reference(
        &["zip"],
        "the first elements of several lists, then the second ones",
        r#"{% for a, b in [1, 2] | zip(["x", "y"]) %}{{ a }}{{ b }}{% endfor %}"#,
        "1x2y",
    ),
    reference(
        &["items"],
        "pairs of the members' names and values",
        r#"{% for name, value in {"id": 1} | items %}{{ name }}={{ value }}{% endfor %}"#,
        "id=1",
    ),
    reference(
        &["dictsort"],
        r#"the same, in the order of the names; `by="value"`, `reverse=true`"#,
        r#"{% for name, value in {"b": 1, "a": 2} | dictsort %}{{ name }}={{ value }};{% endfor %}"#,
        "a=2;b=1;",
    ),
    reference(&["attr"], "the member of this name", r#"{{ {"id": 1} | attr("id") }}"#, "1"),
    reference(&["int"], "the value as a whole number", r#"{{ "7" | int + 1 }}"#, "8"),
    reference(
        &["float"],
        "the value as a number with decimals",
        r#"{{ "0.5" | float + 1 }}"#,
        "1.5",
    ),
    reference(
        &["bool"],
        "whether the value is true: not empty, not zero",
        r#"{{ "" | bool }}"#,
        "false",
    ),
    reference(
        &["round"],
        "the number rounded, to whole numbers or to so many digits",
        "{{ 2.345 | round(1) }}",
        "2.3",
    ),
    reference(&["abs"], "the number without its sign", "{{ -3 | abs }}", "3"),
];

/// What stands behind `is`, and what `select` and the like are given by name.
pub const TESTS: &[Reference] = &[
    reference(&["defined"], "the value is there", "{{ data.nothing is defined }}", "false"),
    reference(
        &["undefined"],
        "the value is missing or null",
        "{{ data.nothing is undefined }}",
        "true",
    ),
    reference(&["none"], "the same", "{{ data.nothing is none }}", "true"),
    reference(
        &["eq", "equalto", "=="],
        "the values are equal",
        r#"{{ [1, 2] | select("eq", 2) | join }}"#,
        "2",
    ),
    reference(&["ne", "!="], "they are not", r#"{{ [1, 2] | select("ne", 2) | join }}"#, "1"),
    reference(
        &["lt", "lessthan", "<"],
        "the value is less",
        r#"{{ [1, 2, 3] | select("lt", 2) | join }}"#,
        "1",
    ),
    reference(
        &["le", "<="],
        "it is less or equal",
        r#"{{ [1, 2, 3] | select("le", 2) | join }}"#,
        "12",
    ),
    reference(
        &["gt", "greaterthan", ">"],
        "it is greater",
        r#"{{ [1, 2, 3] | select("gt", 2) | join }}"#,
        "3",
    ),
    reference(
        &["ge", ">="],
        "it is greater or equal",
        r#"{{ [1, 2, 3] | select("ge", 2) | join }}"#,
        "23",
    ),
    reference(
        &["in"],
        "the value is in the list, the text or the members",
        r#"{{ ["a", "b"] | select("in", "abc") | join }}"#,
        "ab",
    ),
    reference(
        &["startingwith"],
        "the text begins with the other one",
        r#"{{ "user_1" is startingwith("user_") }}"#,
        "true",
    ),
    reference(
        &["endingwith"],
        "it ends with the other one",
        r#"{{ "mira@example.com" is endingwith("@example.com") }}"#,
        "true",
    ),
    reference(&["lower"], "the text is in lower case", r#"{{ "mira" is lower }}"#, "true"),
    reference(&["upper"], "it is in upper case", r#"{{ "mira" is upper }}"#, "false"),
    reference(&["odd"], "the number is odd", "{{ 3 is odd }}", "true"),
    reference(&["even"], "it is even", "{{ 3 is even }}", "false"),
    reference(
        &["divisibleby"],
        "it is divisible by the other one",
        "{{ 6 is divisibleby(3) }}",
        "true",
    ),
    reference(&["string"], "the value is a text", r#"{{ "3" is string }}"#, "true"),
    reference(&["number"], "it is a number", "{{ 3 is number }}", "true"),
    reference(&["integer", "int"], "it is a whole number", "{{ 3 is integer }}", "true"),
    reference(&["float"], "it is a number with decimals", "{{ 3 is float }}", "false"),
    reference(&["boolean"], "it is true or false", "{{ true is boolean }}", "true"),
    reference(&["true"], "it is true", "{{ true is true }}", "true"),
    reference(&["false"], "it is false", "{{ true is false }}", "false"),
    reference(&["sequence"], "it is a list", "{{ [1] is sequence }}", "true"),
    reference(&["mapping"], "it is an object", r#"{{ {"id": 1} is mapping }}"#, "true"),
    reference(&["iterable"], "a loop can go through it", r#"{{ "ab" is iterable }}"#, "true"),
    reference(&["sameas"], "the values are the same one", "{{ 1 is sameas(1) }}", "true"),
    reference(
        &["safe", "escaped"],
        "the text is not escaped again",
        r#"{{ "<b>" | safe is safe }}"#,
        "true",
    ),
    reference(&["filter"], "there is a filter of this name", r#"{{ "upper" is filter }}"#, "true"),
    reference(&["test"], "there is a test of this name", r#"{{ "odd" is test }}"#, "true"),
];

/// What is called by its name.
pub const FUNCTIONS: &[Reference] = &[
    reference(
        &["range"],
        "whole numbers from 0, or from a first one, up to a limit, which is left out",
        "{% for i in range(1, 4) %}{{ i }}{% endfor %}",
        "123",
    ),
    reference(&["dict"], "an object", "{{ dict(id=1) | tojson }}", r#"{"id":1}"#),
    reference(
        &["namespace"],
        "an object whose members a loop can set",
        "{% set n = namespace(sum=0) %}{% for i in [1, 2] %}{% set n.sum = n.sum + i %}{% endfor %}{{ n.sum }}",
        "3",
    ),
];

const fn reference(
    names: &'static [&'static str],
    gives: &'static str,
    example: &'static str,
    rendered: &'static str,
) -> Reference {
    Reference { names, gives, example, rendered }
}
