//! What the screen shows, and how keys and updates change it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::entry::Entry;
use super::keys::{Action, Key};
use crate::listen::{Answer, Message, Update, Withheld};

/// Lines that a page key moves by.
const PAGE_LINES: u16 = 10;
/// Events that are kept; the oldest goes first.
const ENTRIES_MAX: usize = 1_000;

/// What does not change.
#[derive(Debug, Clone)]
pub struct Settings {
    pub from: String,
    pub targets: Vec<String>,
    pub secret: String,
}

/// The state of the screen.
#[derive(Debug)]
pub struct Screen {
    pub(super) settings: Settings,
    entries: VecDeque<Entry>,
    /// The chosen event; the newest where there is none.
    chosen: Option<Arc<Message>>,
    pub(super) filter: String,
    pub(super) is_typing: bool,
    /// The first line of the details that is shown.
    pub(super) scroll: u16,
    /// Why there is no connection.
    pub(super) lost: Option<String>,
    /// Something to say below.
    pub(super) notice: Option<String>,
}

impl Screen {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            entries: VecDeque::new(),
            chosen: None,
            filter: String::new(),
            is_typing: false,
            scroll: 0,
            lost: None,
            notice: None,
        }
    }

    /// Takes up what happened at this time of day.
    pub fn update(&mut self, update: Update, at: &str) {
        match update {
            Update::Sending(message) => self.push(message, None, at),
            Update::Withheld(message, why) => {
                self.push(message, Some(why), at);
            }
            Update::Answered(message, answer) => self.answered(&message, answer),
            Update::Lost { reason } => self.lost = Some(reason),
            Update::Unreadable { messages } => {
                self.notice(format!("{messages} messages cannot be read, and are left out"));
            }
            Update::Restored => self.lost = None,
            Update::Replaced => {
                self.lost = None;
                self.notice("the server has another event log: it goes on with what comes now");
            }
        }
    }

    /// Says something below, until the next key.
    pub fn notice(&mut self, text: impl Into<String>) {
        self.notice = Some(text.into());
    }

    /// What the key does; what it wants of whoever shows the screen.
    pub fn key(&mut self, key: Key) -> Action {
        self.notice = None;
        if key == Key::Interrupt {
            return Action::Quit;
        }
        if self.is_typing {
            self.type_key(key);
            return Action::Nothing;
        }
        match key {
            Key::Char('q') => return Action::Quit,
            Key::Char('r') => return self.chosen().map_or(Action::Nothing, Action::Send),
            Key::Char('e') => return self.chosen().map_or(Action::Nothing, Action::Edit),
            Key::Char('/') => self.is_typing = true,
            Key::Escape => self.filter.clear(),
            Key::Up | Key::Char('k') => self.step(-1),
            Key::Down | Key::Char('j') => self.step(1),
            Key::Home | Key::Char('g') => self.step(isize::MIN),
            Key::End | Key::Char('G') => self.choose(None),
            Key::PageDown | Key::Char(' ') => self.scroll = self.scroll.saturating_add(PAGE_LINES),
            Key::PageUp => self.scroll = self.scroll.saturating_sub(PAGE_LINES),
            _ => {}
        }
        Action::Nothing
    }

    /// The events that are shown, the oldest first.
    pub(super) fn shown(&self) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| entry.matches(&self.filter)).collect()
    }

    /// The position of the chosen event among those that are shown.
    pub(super) fn position(&self, shown: &[&Entry]) -> Option<usize> {
        let chosen = self.chosen.as_ref();
        let found = chosen
            .and_then(|chosen| shown.iter().position(|entry| Arc::ptr_eq(&entry.message, chosen)));
        found.or_else(|| shown.len().checked_sub(1))
    }

    fn chosen(&self) -> Option<Arc<Message>> {
        let shown = self.shown();
        let position = self.position(&shown)?;
        let message = &shown[position].message;
        message.bytes().map(|_| Arc::clone(message))
    }

    fn push(&mut self, message: Arc<Message>, withheld: Option<Withheld>, at: &str) {
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        let (at, answers) = (at.to_owned(), Vec::new());
        self.entries.push_back(Entry { at, message, answers, withheld });
        if self.chosen.is_none() {
            self.scroll = 0;
        }
    }

    fn answered(&mut self, message: &Arc<Message>, answer: Answer) {
        let mut newest_first = self.entries.iter_mut().rev();
        if let Some(entry) = newest_first.find(|entry| Arc::ptr_eq(&entry.message, message)) {
            entry.answers.push(answer);
        }
    }

    fn type_key(&mut self, key: Key) {
        match key {
            Key::Char(character) => self.filter.push(character),
            Key::Backspace => {
                self.filter.pop();
            }
            Key::Escape => {
                self.filter.clear();
                self.is_typing = false;
            }
            Key::Enter => self.is_typing = false,
            _ => {}
        }
    }

    fn step(&mut self, by: isize) {
        let shown = self.shown();
        let Some(position) = self.position(&shown) else { return };
        let next = position.saturating_add_signed(by).min(shown.len() - 1);
        // At the end of the list it goes on with what comes.
        let chosen = (next + 1 < shown.len()).then(|| Arc::clone(&shown[next].message));
        self.choose(chosen);
    }

    fn choose(&mut self, chosen: Option<Arc<Message>>) {
        self.chosen = chosen;
        self.scroll = 0;
    }
}
