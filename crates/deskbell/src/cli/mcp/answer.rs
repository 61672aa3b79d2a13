//! What a tool answers: a sentence and the data, never more than an assistant can hold; or an error
//! that says what to do.

use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock};
use serde::Serialize;

use crate::cli::exit::Failure;

/// Bytes of an answer's data, at most. It is sent twice, as data and as text for clients that know no
/// data: an assistant has 48 KiB in its context.
const ANSWER_BYTES_MAX: usize = 24 << 10;

pub(super) type Answer = Result<CallToolResult, ErrorData>;

/// The data of an answer.
pub(super) trait Output: Serialize {
    /// What there is to say of it, in a sentence or two.
    fn text(&self) -> String;

    /// Leaves out some of it, since it is too long; `false` where nothing more can be left out. It says
    /// itself that something is left out.
    fn shorten(&mut self) -> bool {
        false
    }
}

/// The answer with this data, or the error, which the assistant reads.
pub(super) fn answer<T: Output>(found: Result<T, Failure>) -> Answer {
    let mut output = match found {
        Ok(output) => output,
        Err(failure) => return Ok(error(failure.to_text())),
    };
    loop {
        let data = serde_json::to_value(&output).map_err(|error| cannot_write(&error))?;
        let text = data.to_string();
        if text.len() <= ANSWER_BYTES_MAX {
            let mut result = CallToolResult::structured(data);
            // Clients that know no structured content read the text that follows.
            result.content.insert(0, ContentBlock::text(output.text()));
            return Ok(result);
        }
        if !output.shorten() {
            return Ok(error(format!(
                "the answer has {} bytes, more than the {ANSWER_BYTES_MAX} that are sent: ask for less",
                text.len()
            )));
        }
    }
}

fn error(text: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text)])
}

fn cannot_write(error: &serde_json::Error) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

/// Leaves out the last half; `false` where there is nothing.
pub(super) fn halve<T>(list: &mut Vec<T>) -> bool {
    let is_empty = list.is_empty();
    list.truncate(list.len() / 2);
    !is_empty
}
