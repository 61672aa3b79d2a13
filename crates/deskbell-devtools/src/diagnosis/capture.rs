//! A captured request: raw HTTP, a HAR file, JSON as loggers and serverless platforms write it, or a
//! `curl` line.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::captured::Captured;
use super::curl;

/// A capture that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    #[error(
        "expected raw HTTP, a HAR file, JSON with `headers` and `body`, or a `curl` line; found {found}"
    )]
    Form { found: &'static str },
    #[error("invalid JSON")]
    Json(#[from] serde_json::Error),
    #[error("the capture has no {member}")]
    Missing { member: &'static str },
    #[error("`isBase64Encoded` is set, and `body` is not base64")]
    Base64,
    #[error(transparent)]
    Curl(#[from] curl::CurlError),
}

/// Where loggers put the body; the first one that is there is taken.
const BODY_MEMBERS: &[&str] = &["rawBody", "raw_body", "body", "payload"];

impl Captured {
    pub fn read(bytes: &[u8]) -> Result<Self, CaptureError> {
        let start = bytes.trim_ascii_start();
        if start.is_empty() {
            return Err(CaptureError::Form { found: "nothing" });
        }
        if start.starts_with(b"{") || start.starts_with(b"[") {
            return Self::of_json(&serde_json::from_slice(start)?);
        }
        let text = String::from_utf8_lossy(start);
        let line = text.strip_prefix("$ ").unwrap_or(&text);
        if line.starts_with("curl ") {
            return Ok(curl::read(line)?);
        }
        Self::of_http(start)
    }

    fn of_json(value: &Value) -> Result<Self, CaptureError> {
        match value.pointer("/log/entries") {
            Some(entries) => Self::of_har(entries),
            None => Self::of_logged(value),
        }
    }

    /// The first request with a body.
    fn of_har(entries: &Value) -> Result<Self, CaptureError> {
        let entries = entries.as_array().into_iter().flatten();
        let mut requests = entries.filter_map(|entry| entry.get("request"));
        let posted = requests.find(|request| request.get("postData").is_some());
        let request = posted.ok_or(CaptureError::Missing { member: "request with `postData`" })?;
        let text = request.pointer("/postData/text").and_then(Value::as_str).unwrap_or_default();
        let headers = headers_of(&request["headers"]);
        Ok(Self { headers, body: text.as_bytes().to_vec(), is_parsed: false })
    }

    fn of_logged(value: &Value) -> Result<Self, CaptureError> {
        let request = value.get("request").filter(|request| request.is_object()).unwrap_or(value);
        let headers =
            request.get("headers").ok_or(CaptureError::Missing { member: "`headers`" })?;
        let headers = headers_of(headers);
        let body = BODY_MEMBERS.iter().find_map(|member| request.get(*member));
        let body = body.ok_or(CaptureError::Missing { member: "`body`" })?;
        let Value::String(text) = body else {
            let body = serde_json::to_vec(body)?;
            return Ok(Self { headers, body, is_parsed: true });
        };
        let is_base64 = request.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false);
        let body = match is_base64 {
            true => BASE64_STANDARD.decode(text.trim()).map_err(|_| CaptureError::Base64)?,
            false => text.as_bytes().to_vec(),
        };
        Ok(Self { headers, body, is_parsed: false })
    }

    /// With or without a request line; lines end with CRLF or LF.
    fn of_http(bytes: &[u8]) -> Result<Self, CaptureError> {
        let (head, body) = split_head(bytes);
        let head = String::from_utf8_lossy(head);
        let mut headers: Vec<(String, String)> = Vec::new();
        for (number, line) in head.lines().enumerate() {
            match line.split_once(':') {
                Some((name, value)) if !name.trim().contains(' ') => {
                    headers.push((name.trim().to_owned(), value.trim().to_owned()));
                }
                _ if number == 0 => {}
                _ => return Err(CaptureError::Form { found: "a line that is no header" }),
            }
        }
        if headers.is_empty() {
            return Err(CaptureError::Form { found: "no headers" });
        }
        Ok(Self { headers, body: body.to_vec(), is_parsed: false })
    }
}

/// What is before the first blank line, and what is after it.
fn split_head(bytes: &[u8]) -> (&[u8], &[u8]) {
    let at = |separator: &[u8]| {
        let found = bytes.windows(separator.len()).position(|window| window == separator);
        found.map(|start| (start, start + separator.len()))
    };
    let ends = [at(b"\r\n\r\n"), at(b"\n\n")];
    match ends.into_iter().flatten().min() {
        Some((end, start)) => (&bytes[..end], &bytes[start..]),
        None => (bytes, &[]),
    }
}

/// An object, whose values may be lists, or a list of `{name, value}` or of pairs.
fn headers_of(value: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut headers = Vec::new();
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::Array(values) => {
                        headers.extend(values.iter().map(|value| (name.clone(), text(value))));
                    }
                    Value::Null => {}
                    value => headers.push((name.clone(), text(value))),
                }
            }
        }
        Value::Array(pairs) => {
            for pair in pairs {
                let named = (pair.get("name"), pair.get("value"));
                let (Some(name), Some(value)) = (named.0.or(pair.get(0)), named.1.or(pair.get(1)))
                else {
                    continue;
                };
                headers.push((text(name), text(value)));
            }
        }
        _ => {}
    }
    headers
}
