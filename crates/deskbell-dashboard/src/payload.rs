//! JSON as a tree that folds. Whatever its size, a bounded part of it is shown.

use maud::{Markup, html};
use serde_json::Value;

use crate::clip::clip;
use crate::number::{count, counted};

/// Values that are shown; what follows them is counted.
const VALUES_MAX: usize = 1_500;
/// Deeper values are shown as text.
const DEPTH_MAX: usize = 24;
/// Of a longer text, so many characters are shown.
const TEXT_CHARS_MAX: usize = 2_000;
/// A list or object of more members is folded, but for the outermost and what it has.
const OPEN_MEMBERS_MAX: usize = 12;
/// A list or object at this depth, or deeper, is folded.
const OPEN_DEPTH_MAX: usize = 3;

/// The tree of a payload.
pub(crate) fn tree(json: &Value) -> Markup {
    let mut left = VALUES_MAX;
    let shown = node(None, json, 0, &mut left);
    html! {
        div.json { ul { (shown) } }
        @if left == 0 {
            p.muted { "The first " (count(VALUES_MAX as u64)) " values. The raw payload has all of them." }
        }
    }
}

fn node(name: Option<&str>, json: &Value, depth: usize, left: &mut usize) -> Markup {
    if *left == 0 {
        return html! {};
    }
    *left -= 1;
    match json {
        Value::Object(members) if !members.is_empty() && depth < DEPTH_MAX => {
            let summary = format!("{{ {} }}", counted(members.len() as u64, "member"));
            let mut content = Vec::new();
            for (key, value) in members {
                content.push(node(Some(key), value, depth + 1, left));
            }
            branch(name, &summary, members.len(), depth, &content)
        }
        Value::Array(elements) if !elements.is_empty() && depth < DEPTH_MAX => {
            let summary = format!("[ {} ]", counted(elements.len() as u64, "element"));
            let mut content = Vec::new();
            for (index, value) in elements.iter().enumerate() {
                content.push(node(Some(&index.to_string()), value, depth + 1, left));
            }
            branch(name, &summary, elements.len(), depth, &content)
        }
        leaf => html! { li { (label(name)) (value(leaf)) } },
    }
}

fn branch(
    name: Option<&str>,
    summary: &str,
    members: usize,
    depth: usize,
    content: &[Markup],
) -> Markup {
    let open = depth <= 1 || (depth < OPEN_DEPTH_MAX && members <= OPEN_MEMBERS_MAX);
    html! {
        li {
            details open[open] {
                summary { (label(name)) span.muted { (summary) } }
                ul { @for one in content { (one) } }
            }
        }
    }
}

fn label(name: Option<&str>) -> Markup {
    html! { @if let Some(name) = name { span.key { (clipped(name)) } ": " } }
}

/// A value in a line.
pub(crate) fn value(json: &Value) -> Markup {
    match json {
        Value::Null => html! { span.null { "null" } },
        Value::Bool(flag) => html! { span.flag { (flag) } },
        Value::Number(number) => html! { span.digits { (number) } },
        Value::String(text) => html! { span.text { "\"" (clipped(text)) "\"" } },
        nested => html! { span.text { (clipped(&nested.to_string())) } },
    }
}

/// A longer text is cut, and says how long it is.
fn clipped(text: &str) -> String {
    let clipped = clip(text, TEXT_CHARS_MAX);
    if clipped == text {
        clipped
    } else {
        format!("{clipped} ({} bytes)", count(text.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_named_and_hostile_text_is_text() {
        let shown = tree(&json!({"</script><img onerror=x>": ["<b>", 1, null, true]}));
        let shown = shown.into_string();
        assert!(!shown.contains("<img") && !shown.contains("<b>"), "{shown}");
        assert!(shown.contains("&lt;/script&gt;&lt;img onerror=x&gt;"), "{shown}");
        assert!(shown.contains("[ 4 elements ]"), "{shown}");
    }

    #[test]
    fn a_large_payload_is_shown_in_part() {
        let shown = tree(&json!(vec![0; 100_000])).into_string();
        assert!(shown.len() < 100 * VALUES_MAX && shown.contains("The first 1,500 values"));
        let shown = tree(&json!({"text": "ü".repeat(10_000)})).into_string();
        assert!(shown.len() < 3 * TEXT_CHARS_MAX && shown.contains("20,000 bytes"), "{shown}");
    }

    #[test]
    fn a_deep_payload_does_not_exhaust_the_stack() {
        let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
        let shown = tree(&deep).into_string();
        assert_eq!(shown.matches("<details").count(), DEPTH_MAX);
    }
}
