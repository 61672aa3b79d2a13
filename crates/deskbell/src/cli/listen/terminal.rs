//! The screen, on a terminal.

use std::process::ExitCode;
use std::sync::Arc;

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use deskbell_devtools::listen::{FeedError, Listening, Message, Totals, Update, listen};
use deskbell_devtools::message_id;
use deskbell_devtools::screen::{Action, Key, Screen, Settings, draw};
use futures_util::StreamExt;
use ratatui::DefaultTerminal;
use tokio::sync::mpsc;

use super::super::{Context, editor, exit};
use super::ended::ended;
use super::lines::time_of_day;
use crate::signals::Signals;

/// Events that somebody wants to be sent again, and that are not sent yet.
pub(super) const REQUESTS_MAX: usize = 16;

pub(super) async fn run(
    listening: Listening<'_>,
    requests: mpsc::Sender<Message>,
    name: &str,
    secret: &str,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let settings = Settings {
        from: name.to_owned(),
        targets: listening.targets.urls().collect(),
        secret: secret.to_owned(),
    };
    let mut totals = Totals::default();
    let (sender, updates) = mpsc::unbounded_channel();
    let mut update = |update| {
        // The screen is left, and nobody looks any more.
        let _ = sender.send(update);
    };
    let has_end = listening.events_max.is_some();
    let result = {
        let shown = Shown { screen: Screen::new(settings), updates, requests, context };
        let listening = std::pin::pin!(listen(listening, &mut totals, &mut update));
        shown.run(listening).await
    };
    ratatui::restore();
    result?;
    Ok(if has_end { ended(totals) } else { ExitCode::from(exit::DONE) })
}

struct Shown<'a> {
    screen: Screen,
    updates: mpsc::UnboundedReceiver<Update>,
    requests: mpsc::Sender<Message>,
    context: &'a Context,
}

impl Shown<'_> {
    /// Until somebody leaves, or there is nothing more to listen to.
    async fn run(
        mut self,
        mut listening: std::pin::Pin<&mut impl Future<Output = Result<(), FeedError>>>,
    ) -> Result<(), exit::Failure> {
        let mut terminal = ratatui::try_init().map_err(exit::Failure::failed)?;
        let mut keys = EventStream::new();
        let mut signals = Signals::listen().map_err(exit::Failure::failed)?;
        loop {
            self.draw(&mut terminal)?;
            let action = tokio::select! {
                ended = &mut listening => {
                    return ended.map_err(exit::Failure::failed_with_help);
                }
                () = signals.next() => return Ok(()),
                Some(update) = self.updates.recv() => {
                    self.screen.update(update, &time_of_day());
                    Action::Nothing
                }
                event = keys.next() => match event {
                    Some(Ok(event)) => key(&event).map_or(Action::Nothing, |key| self.screen.key(key)),
                    Some(Err(error)) => return Err(exit::Failure::failed(error)),
                    None => return Ok(()),
                },
            };
            match action {
                Action::Nothing => {}
                Action::Quit => return Ok(()),
                Action::Send(message) => self.send((*message).clone()),
                Action::Edit(message) => {
                    // The editor has the keyboard meanwhile.
                    drop(keys);
                    ratatui::restore();
                    let edited = self.edit(&message);
                    let edited = tokio::select! {
                        edited = edited => edited,
                        ended = &mut listening => {
                            return ended.map_err(exit::Failure::failed_with_help);
                        }
                    };
                    terminal = ratatui::try_init().map_err(exit::Failure::failed)?;
                    keys = EventStream::new();
                    // A Ctrl-C that came meanwhile was for the editor.
                    signals = Signals::listen().map_err(exit::Failure::failed)?;
                    match edited {
                        Ok(Some(message)) => self.send(message),
                        Ok(None) => self.screen.notice("not changed, not sent"),
                        Err(error) => self.screen.notice(error.to_string()),
                    }
                }
            }
        }
    }

    fn draw(&self, terminal: &mut DefaultTerminal) -> Result<(), exit::Failure> {
        let drawn = terminal.draw(|frame| draw(frame, &self.screen));
        drawn.map(drop).map_err(exit::Failure::failed)
    }

    fn send(&mut self, message: Message) {
        if self.requests.try_send(message).is_err() {
            self.screen.notice("too many are waiting: the handler is slow");
        }
    }

    /// The message as somebody edits it, under another id; `None` where it stays as it is.
    async fn edit(&self, message: &Arc<Message>) -> Result<Option<Message>, editor::EditError> {
        let body = message.bytes().map(|bytes| bytes.to_vec()).unwrap_or_default();
        let edited = editor::edit(&body, &self.context.environment).await?;
        Ok(edited.map(|body| message.edited(message_id(), body.into())))
    }
}

fn key(event: &Event) -> Option<Key> {
    let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) = event else {
        return None;
    };
    Some(match code {
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
        KeyCode::Char(_) if modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
            return None;
        }
        KeyCode::Char(character) => Key::Char(*character),
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        _ => return None,
    })
}
