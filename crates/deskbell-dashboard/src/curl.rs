//! A payload as a command for a shell.

/// Posts these bytes to `url`, with the headers that name the event. The signature's secret is not
/// Deskbell's to show, so the request has none.
pub(crate) fn command(url: &str, message_id: &str, payload: &str) -> String {
    format!(
        "curl -X POST {} \\\n  -H 'content-type: application/json' \\\n  -H {} \\\n  --data-raw {}\n",
        quoted(url),
        quoted(&format!("svix-id: {message_id}")),
        quoted(payload),
    )
}

/// As one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_payload_reaches_the_shell() {
        let shown = command("http://localhost:3000/x", "msg_1", "{\"a\":\"it's $(rm) `x`\"}");
        assert_eq!(
            shown,
            "curl -X POST 'http://localhost:3000/x' \\\n  -H 'content-type: application/json' \\\n  \
             -H 'svix-id: msg_1' \\\n  --data-raw '{\"a\":\"it'\\''s $(rm) `x`\"}'\n"
        );
    }
}
