//! A `curl` line, as a browser or a colleague copied it.

use super::captured::Captured;

/// A line that is no request to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CurlError {
    #[error("the `curl` line ends inside a quote")]
    OpenQuote,
    #[error("the `curl` line has a flag without its value: {0}")]
    NoValue(String),
    #[error("the `curl` line reads its body from {0}; pass that file with --payload instead")]
    File(String),
}

pub(super) fn read(line: &str) -> Result<Captured, CurlError> {
    let mut captured = Captured::default();
    let mut words = words(line)?.into_iter().skip(1);
    while let Some(word) = words.next() {
        let (flag, attached) = split_flag(&word);
        let is_header = matches!(flag, "-H" | "--header");
        let is_data = matches!(
            flag,
            "-d" | "--data" | "--data-raw" | "--data-binary" | "--data-ascii" | "--json"
        );
        if !is_header && !is_data {
            continue;
        }
        let value = match attached {
            Some(value) => value.to_owned(),
            None => words.next().ok_or_else(|| CurlError::NoValue(flag.to_owned()))?,
        };
        if is_header {
            let (name, value) = value.split_once(':').unwrap_or((&value, ""));
            captured.headers.push((name.trim().to_owned(), value.trim().to_owned()));
        } else if flag != "--data-raw" && value.starts_with('@') {
            return Err(CurlError::File(value));
        } else {
            captured.body.extend_from_slice(value.as_bytes());
        }
    }
    Ok(captured)
}

/// `-Hname: value` and `--data=value` have their value with them.
fn split_flag(word: &str) -> (&str, Option<&str>) {
    if word.starts_with("--") {
        return match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
    }
    match word.get(..2) {
        Some(flag @ ("-H" | "-d")) if word.len() > 2 => (flag, word.get(2..)),
        _ => (word, None),
    }
}

/// The words of a line, as a POSIX shell splits them, with `$'…'` too.
fn words(line: &str) -> Result<Vec<String>, CurlError> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut rest = line.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => quoted(&mut rest, word.get_or_insert_default())?,
            '"' => double_quoted(&mut rest, word.get_or_insert_default())?,
            '$' if rest.peek() == Some(&'\'') => {
                rest.next();
                ansi_quoted(&mut rest, word.get_or_insert_default())?;
            }
            '\\' => match rest.next() {
                // A line that goes on.
                Some('\n') | None => {}
                Some('\r') => {
                    rest.next_if_eq(&'\n');
                }
                Some(escaped) => word.get_or_insert_default().push(escaped),
            },
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn quoted(rest: &mut Rest<'_>, word: &mut String) -> Result<(), CurlError> {
    loop {
        match rest.next().ok_or(CurlError::OpenQuote)? {
            '\'' => return Ok(()),
            other => word.push(other),
        }
    }
}

fn double_quoted(rest: &mut Rest<'_>, word: &mut String) -> Result<(), CurlError> {
    loop {
        match rest.next().ok_or(CurlError::OpenQuote)? {
            '"' => return Ok(()),
            '\\' => match rest.next().ok_or(CurlError::OpenQuote)? {
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                '\n' => {}
                other => word.extend(['\\', other]),
            },
            other => word.push(other),
        }
    }
}

/// `$'…'`, as browsers write a body with a quote in it.
fn ansi_quoted(rest: &mut Rest<'_>, word: &mut String) -> Result<(), CurlError> {
    loop {
        match rest.next().ok_or(CurlError::OpenQuote)? {
            '\'' => return Ok(()),
            '\\' => match rest.next().ok_or(CurlError::OpenQuote)? {
                'n' => word.push('\n'),
                'r' => word.push('\r'),
                't' => word.push('\t'),
                'u' => word.extend(code_point(rest, 4)),
                'x' => word.extend(code_point(rest, 2)),
                other => word.push(other),
            },
            other => word.push(other),
        }
    }
}

fn code_point(rest: &mut Rest<'_>, digits_max: usize) -> Option<char> {
    let mut number = 0;
    for _ in 0..digits_max {
        let Some(digit) = rest.peek().and_then(|digit| digit.to_digit(16)) else { break };
        rest.next();
        number = number * 16 + digit;
    }
    char::from_u32(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_a_shell_reads_it() {
        let line = "curl -X POST 'https://example.com/hooks' \\\n  -H 'svix-id: msg_1' \\\r\n \
                    --header=\"svix-timestamp: 17\" -Hsvix-signature:\\ v1,abc= --compressed \
                    --data-raw $'{\"name\":\"O\\'Hara \\u0026 sons\"}'";
        let captured = read(line).unwrap();
        let header = |name, value: &str| (String::from(name), value.to_owned());
        assert_eq!(
            captured.headers,
            [
                header("svix-id", "msg_1"),
                header("svix-timestamp", "17"),
                header("svix-signature", "v1,abc=")
            ]
        );
        assert_eq!(captured.body, br#"{"name":"O'Hara & sons"}"#);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert_eq!(read("curl -d 'x"), Err(CurlError::OpenQuote));
        assert_eq!(read("curl -H"), Err(CurlError::NoValue("-H".to_owned())));
        assert_eq!(read("curl -d @body.json"), Err(CurlError::File("@body.json".to_owned())));
        assert!(read("curl --data-raw @x").is_ok());
    }
}
