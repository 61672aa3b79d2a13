//! What a handler's own words say about the fault.

use crate::reply::Reply;

/// What the text of a refusal shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Clue {
    /// It has no secret; the variable, where it names one.
    NoSecret(Option<String>),
    /// Its secret is no base64.
    MalformedSecret,
    /// What it verifies is no text.
    ParsedBody,
    /// The signature's headers did not reach it.
    NoHeaders,
    /// The signature's time is too far from its clock.
    Time,
}

/// The words of packages in lower case, and what they show.
const WORDS: &[(&[&str], Clue)] = &[
    (&["expected payload to be of type string"], Clue::ParsedBody),
    (&["payload must be of type string"], Clue::ParsedBody),
    (&["argument must be of type string", "received an instance of object"], Clue::ParsedBody),
    (&["base64coder"], Clue::MalformedSecret),
    (&["timestamp too old"], Clue::Time),
    (&["timestamp too new"], Clue::Time),
    (&["missing required webhook headers"], Clue::NoHeaders),
    (&["missing required headers"], Clue::NoHeaders),
    (&["missing svix headers"], Clue::NoHeaders),
    (&["no svix headers"], Clue::NoHeaders),
    (&["secret can't be empty"], Clue::NoSecret(None)),
    (&["expected secret to be of type string"], Clue::NoSecret(None)),
];
/// What is said of a secret that is not there.
const MISSING: [&str; 7] =
    ["missing", "not set", "undefined", "is empty", "please add", "required", "not configured"];

pub(super) fn clue(reply: &Reply) -> Option<Clue> {
    let text = reply.body.to_ascii_lowercase();
    let has = |words: &&[&str]| words.iter().all(|word| text.contains(word));
    let known = WORDS.iter().find(|(words, _)| has(words)).map(|(_, clue)| clue.clone());
    if known.is_some() && known != Some(Clue::NoSecret(None)) {
        return known;
    }
    let variable = variable_in(&reply.body);
    let is_missing = text.contains("secret") && MISSING.iter().any(|word| text.contains(word));
    (known.is_some() || is_missing).then_some(Clue::NoSecret(variable))
}

/// The first name of a variable for a secret in the text.
fn variable_in(text: &str) -> Option<String> {
    let is_of_name = |character: char| character.is_ascii_uppercase() || character == '_';
    text.split(|character| !is_of_name(character))
        .find(|word| word.len() > 6 && word.contains("SECRET"))
        .map(str::to_owned)
}

/// Whether it crashed because it read something out of nothing, as out of what `verify` of svix 2
/// returns.
pub(super) fn reads_from_nothing(reply: &Reply) -> bool {
    ["Cannot read properties of undefined", "Cannot destructure", "undefined is not an object"]
        .iter()
        .any(|words| reply.body.contains(words))
}

/// Whether a JSON parser says that the body is none.
pub(super) fn is_of_json_parser(reply: &Reply) -> bool {
    let text = reply.body.to_ascii_lowercase();
    ["unexpected token", "not valid json", "syntaxerror", "invalid json", "in json at position"]
        .iter()
        .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_packages_and_of_handlers_are_known() {
        let named = |name: &str| Some(Clue::NoSecret(Some(name.to_owned())));
        for (text, wanted) in [
            (
                "Missing webhook signing secret. Set the CLERK_WEBHOOK_SIGNING_SECRET environment",
                named("CLERK_WEBHOOK_SIGNING_SECRET"),
            ),
            (
                "Error: Please add WEBHOOK_SECRET from Clerk Dashboard to .env",
                named("WEBHOOK_SECRET"),
            ),
            ("Secret can't be empty.", Some(Clue::NoSecret(None))),
            ("Expected payload to be of type string or Buffer.", Some(Clue::ParsedBody)),
            ("Base64Coder: incorrect characters for decoding", Some(Clue::MalformedSecret)),
            ("Message timestamp too old", Some(Clue::Time)),
            ("Missing required webhook headers: svix-id", Some(Clue::NoHeaders)),
            ("No matching signature found", None),
            ("", None),
        ] {
            let reply = Reply { body: text.to_owned(), ..Reply::default() };
            assert_eq!(clue(&reply), wanted, "{text}");
        }
    }
}
