//! What keys do.

use std::sync::Arc;

use crate::listen::Message;

/// A key, whatever the terminal calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Escape,
    Backspace,
    Char(char),
    /// Ctrl-C.
    Interrupt,
}

/// What somebody wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Nothing,
    Quit,
    /// The event is to be sent again.
    Send(Arc<Message>),
    /// It is to be edited first.
    Edit(Arc<Message>),
}
