//! `Pattern`: a regular expression whose cost is counted.
//!
//! The automaton is run here, one set of states at a time, and not by the `regex` crate: its matchers
//! are faster by far for most patterns and slow for some, which only the clock could tell apart. Steps
//! are the same on every machine, so that the same events are judged in the same way everywhere.

use std::error::Error as _;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use regex_automata::nfa::thompson::{BuildError, NFA, State, WhichCaptures};
use regex_automata::util::primitives::StateID;

/// The largest automaton of a pattern, in bytes: a pattern that needs a larger one is refused at
/// compiling. One `\w` has about 10 KB, and `\w{1,64}` has 64 of them.
pub const PATTERN_BYTES_MAX: usize = 10 << 20;

/// Transitions of one state that are looked through in one step.
const TRANSITIONS_A_STEP: u64 = 8;

pub(crate) struct Pattern {
    text: String,
    automaton: NFA,
    /// Memory for a match, kept for the next one. Who finds none makes some.
    memory: Mutex<Option<Memory>>,
}

/// Why a text is no pattern.
#[derive(Debug)]
pub(crate) enum PatternError {
    /// It needs more than [`PATTERN_BYTES_MAX`].
    TooLarge,
    /// It is no regular expression; why, in a line.
    Invalid(String),
}

impl PatternError {
    fn of(error: &BuildError) -> Self {
        if error.size_limit().is_some() {
            return Self::TooLarge;
        }
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        let line = cause.lines().last().unwrap_or_default();
        Self::Invalid(line.trim_start_matches("error: ").to_owned())
    }
}

#[derive(Default)]
struct Memory {
    /// For each state, when it was last seen.
    seen: Vec<u64>,
    now: u64,
    states: Vec<StateID>,
    next: Vec<StateID>,
}

impl Pattern {
    /// Compiles a text.
    ///
    /// # Errors
    /// It is no regular expression, or needs more than [`PATTERN_BYTES_MAX`].
    pub(crate) fn compile(text: &str) -> Result<Self, PatternError> {
        let limits = NFA::config()
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(Some(PATTERN_BYTES_MAX));
        let automaton = NFA::compiler()
            .configure(limits)
            .build(text)
            .map_err(|error| PatternError::of(&error))?;
        Ok(Self { text: text.to_owned(), automaton, memory: Mutex::default() })
    }

    /// Whether it matches anywhere in a text, and the steps that are left then; `None` where they did
    /// not suffice.
    pub(crate) fn is_match(&self, text: &str, steps: u64) -> Option<(bool, u64)> {
        let kept = || self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = kept().take().unwrap_or_default();
        memory.seen.resize(self.automaton.states().len(), 0);
        let mut left = steps;
        let found = memory.search(&self.automaton, text, &mut left);
        *kept() = Some(memory);
        Some((found?, left))
    }
}

impl Memory {
    /// Follows all states at once, from one byte to the next.
    fn search(&mut self, automaton: &NFA, text: &str, steps: &mut u64) -> Option<bool> {
        self.states.clear();
        self.states.push(automaton.start_unanchored());
        for at in 0..=text.len() {
            self.now += 1;
            self.next.clear();
            while let Some(id) = self.states.pop() {
                let seen = &mut self.seen[id.as_usize()];
                if *seen == self.now {
                    continue;
                }
                *seen = self.now;
                let state = automaton.state(id);
                *steps = steps.checked_sub(steps_of(state))?;
                // An empty match between the bytes of one character is none.
                if matches!(state, State::Match { .. }) && text.is_char_boundary(at) {
                    return Some(true);
                }
                self.follow(automaton, state, text.as_bytes(), at);
            }
            if self.next.is_empty() {
                return Some(false);
            }
            std::mem::swap(&mut self.states, &mut self.next);
        }
        Some(false)
    }

    fn follow(&mut self, automaton: &NFA, state: &State, text: &[u8], at: usize) {
        match state {
            State::ByteRange { trans } => {
                self.next.extend(trans.matches(text, at).then_some(trans.next));
            }
            State::Sparse(transitions) => self.next.extend(transitions.matches(text, at)),
            State::Dense(transitions) => self.next.extend(transitions.matches(text, at)),
            State::Look { look, next } => {
                if automaton.look_matcher().matches(*look, text, at) {
                    self.states.push(*next);
                }
            }
            State::Union { alternates } => self.states.extend(alternates.iter()),
            State::BinaryUnion { alt1, alt2 } => self.states.extend([alt1, alt2]),
            State::Capture { next, .. } => self.states.push(*next),
            State::Fail | State::Match { .. } => {}
        }
    }
}

/// What it costs to be in a state: one step, and more where there is much to look through.
fn steps_of(state: &State) -> u64 {
    let ways = match state {
        State::Sparse(transitions) => transitions.transitions.len(),
        State::Union { alternates } => alternates.len(),
        _ => 0,
    };
    1 + u64::try_from(ways).unwrap_or(u64::MAX) / TRANSITIONS_A_STEP
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::meta::Regex;

    use super::*;

    fn is_match(pattern: &str, text: &str) -> bool {
        Pattern::compile(pattern).unwrap().is_match(text, u64::MAX).unwrap().0
    }

    #[test]
    fn patterns_match_as_those_of_the_regex_crate() {
        let texts =
            ["", "a", "abc", "xabcx", "Zoë 🦊", "a\nb", "foo bar", "ADA@acme.com", "é", "\u{212a}"];
        for pattern in [
            "",
            "a",
            "^a$",
            "^abc",
            "c$",
            "(?i)k",
            "(?m)^b$",
            r"\bbar\b",
            r"\Boo",
            r"^\w{1,64}$",
            r"\pL+",
            r"@acme\.com$",
            "a|b|",
            "(a*)*b",
            "[^a-z]",
            "(?s).",
            ".",
            r"\A\z",
            r"(?i)@ACME\.COM$",
            "x*",
            r"\b{start}f",
            "🦊$",
        ] {
            for text in texts {
                let expected = Regex::new(pattern).unwrap().is_match(text);
                assert_eq!(is_match(pattern, text), expected, "{pattern} {text:?}");
            }
        }
    }

    #[test]
    fn memory_is_used_again() {
        let pattern = Pattern::compile("^ab$").unwrap();
        for (text, expected) in [("ab", true), ("a", false), ("ab", true), ("abc", false)] {
            assert_eq!(pattern.is_match(text, u64::MAX).unwrap().0, expected, "{text}");
        }
    }

    #[test]
    fn steps_are_counted_and_end_the_match() {
        let pattern = Pattern::compile(r"\pL{1,100}-$").unwrap();
        let text = "a".repeat(10_000);
        assert_eq!(pattern.is_match(&text, 1_000_000), None);
        let (found, left) = pattern.is_match("ab-", 10_000).unwrap();
        assert!(found && left < 10_000);
        assert_eq!(
            pattern.is_match("ab-", 10_000 - left),
            Some((true, 0)),
            "it costs the same again"
        );
        assert_eq!(pattern.is_match("ab-", 10_000 - left - 1), None);
    }

    #[test]
    fn a_pattern_has_a_limit_of_size() {
        assert!(Pattern::compile(r"^[\w.+-]{1,64}@[\w-]{1,63}$").is_ok());
        for pattern in
            [r"\pL{1,10000}", "((a{100}){100}){100}", "(?:(?:(?:(?:(?:x{9}){9}){9}){9}){9}){9}"]
        {
            let error = Pattern::compile(pattern).unwrap_err();
            assert!(matches!(error, PatternError::TooLarge), "{pattern}: {error:?}");
        }
        assert!(matches!(Pattern::compile("("), Err(PatternError::Invalid(_))));
    }

    proptest! {
        #[test]
        fn any_pattern_matches_as_in_the_regex_crate(
            pattern in r"(\^|\$|a|b|\.|é|\(a\|b\)|\[a-é\]|\\w|\\b|\\B|\*|\+|\?|\{1,3\}|\||\(\?i\)){0,8}",
            text in "[abéAÉ \n]{0,8}",
        ) {
            if let Ok(regex) = Regex::new(&pattern) {
                prop_assert_eq!(is_match(&pattern, &text), regex.is_match(&text));
            }
        }
    }
}
