//! Bodies that a library may stumble over. Both interop tests use them.

/// Names and bodies. All are JSON, because some libraries parse what they verify.
pub(crate) fn bodies() -> Vec<(&'static str, String)> {
    let name =
        |name: &str| format!(r#"{{"type":"user.created","data":{{"first_name":"{name}"}}}}"#);
    vec![
        ("plain", name("Ada")),
        ("empty object", "{}".to_owned()),
        ("escaped by Go's writer", name(r"\u003cb\u003e R\u0026D \u2028")),
        ("unescaped", name("<b> R&D </b>")),
        ("escaped slashes and capitals", name(r"\/ \u00E9 \u00e9")),
        ("unicode", name("Zoë 李 🛎 \u{202e} e\u{301}")),
        ("half a surrogate pair", name(r"\ud83d")),
        ("odd spaces", " {\r\n\t\"type\" : \"user.created\" , \"data\" : { } }\n".to_owned()),
        ("repeated keys", r#"{"a":1,"a":2,"type":"x"}"#.to_owned()),
        ("large numbers", r#"{"a":12345678901234567890,"b":1.0,"c":1e2,"d":-0}"#.to_owned()),
        ("200 KB", name(&"Ünï 0123456789 ".repeat(12_000))),
    ]
}
