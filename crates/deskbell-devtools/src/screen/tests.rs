use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::hints::{Hint, HintCode};
use crate::listen::{Answer, Body, Message, Update, Withheld};

const AT: &str = "12:04:31";

fn screen() -> Screen {
    Screen::new(Settings {
        from: "https://hooks.example.com/".to_owned(),
        targets: vec!["http://localhost:3000/api/webhooks".to_owned()],
        secret: "whsec_local".to_owned(),
    })
}

fn message(id: &str, event_type: &str, subject: &str) -> Arc<Message> {
    let body = format!(r#"{{"type":"{event_type}","data":{{"id":"{subject}"}}}}"#);
    let (id, event_type) = (id.to_owned(), event_type.to_owned());
    Arc::new(Message::of_body(id, event_type, 1_700_000_000_000, Bytes::from(body)))
}

fn answer(status: u16) -> Answer {
    let hint = (status >= 400).then(|| Hint {
        code: HintCode::Crashed,
        found: format!("{status}: no such column"),
        help: "look at its log".to_owned(),
    });
    let took = Duration::from_millis(18);
    Answer { target: 0, status: Some(status), text: String::new(), took, hint }
}

/// Three events: acknowledged, failed, and withheld.
fn with_events() -> (Screen, [Arc<Message>; 3]) {
    let mut screen = screen();
    let user = message("msg_1", "user.created", "user_1");
    let session = message("msg_2", "session.created", "sess_1");
    let mut code = (*message("msg_3", "email.created", "ema_1")).clone();
    code.body = Body::Withheld(Withheld::OneTimeCode);
    let code = Arc::new(code);
    screen.update(Update::Sending(Arc::clone(&user)), AT);
    screen.update(Update::Answered(Arc::clone(&user), answer(200)), AT);
    screen.update(Update::Sending(Arc::clone(&session)), AT);
    screen.update(Update::Answered(Arc::clone(&session), answer(500)), AT);
    screen.update(Update::Withheld(Arc::clone(&code), Withheld::OneTimeCode), AT);
    (screen, [user, session, code])
}

/// What is drawn, line by line.
fn drawn(screen: &Screen, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, screen)).unwrap();
    let buffer = terminal.backend().buffer();
    let lines = (0..height).map(|y| {
        let line: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn events_and_what_became_of_them_are_shown() {
    let (mut screen, _) = with_events();
    screen.key(Key::Up);
    let text = drawn(&screen, 120, 14);
    for expected in [
        "https://hooks.example.com/ → http://localhost:3000/api/webhooks  connected",
        "signing secret whsec_local",
        "✓ user.created user_1 200 18 ms",
        "✗ session.created sess_1 500 18 ms",
        "500: no such column",
        "fix: look at its log",
        "\"id\": \"sess_1\"",
        "r send again",
    ] {
        assert!(text.contains(expected), "{expected}:\n{text}");
    }
}

#[test]
fn a_narrow_terminal_has_the_details_below() {
    let (screen, _) = with_events();
    let text = drawn(&screen, 60, 20);
    assert!(text.contains("user.created user_1"), "{text}");
    assert!(text.contains("one-time code"), "{text}");
    // No size is too small to draw.
    for (width, height) in [(1, 1), (10, 3), (300, 2)] {
        drawn(&screen, width, height);
    }
}

#[test]
fn keys_choose_an_event_and_send_it_again() {
    let (mut screen, [user, session, _]) = with_events();
    // The newest has no body to send.
    assert_eq!(screen.key(Key::Char('r')), Action::Nothing);
    screen.key(Key::Up);
    assert_eq!(screen.key(Key::Char('r')), Action::Send(Arc::clone(&session)));
    screen.key(Key::Home);
    assert_eq!(screen.key(Key::Char('e')), Action::Edit(Arc::clone(&user)));
    // What comes meanwhile does not move the choice.
    screen.update(Update::Sending(message("msg_4", "user.created", "user_4")), AT);
    assert_eq!(screen.key(Key::Char('r')), Action::Send(user));
    screen.key(Key::End);
    let Action::Send(newest) = screen.key(Key::Char('r')) else { panic!() };
    assert_eq!(newest.id, "msg_4");
}

#[test]
fn a_filter_is_typed_and_cleared() {
    let (mut screen, _) = with_events();
    screen.key(Key::Char('/'));
    for character in "sessq".chars() {
        assert_eq!(screen.key(Key::Char(character)), Action::Nothing);
    }
    screen.key(Key::Backspace);
    screen.key(Key::Enter);
    let text = drawn(&screen, 120, 12);
    assert!(text.contains("session.created") && !text.contains("user.created"), "{text}");
    screen.key(Key::Escape);
    assert!(drawn(&screen, 120, 12).contains("user.created"));
    assert_eq!(screen.key(Key::Char('q')), Action::Quit);
}

#[test]
fn a_lost_connection_is_shown_until_it_is_back() {
    let mut screen = screen();
    screen.update(Update::Lost { reason: "connection reset".to_owned() }, AT);
    assert!(drawn(&screen, 120, 10).contains("connection lost: connection reset"));
    screen.update(Update::Restored, AT);
    assert!(drawn(&screen, 120, 10).contains("connected"));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let mut screen = screen();
    let evil = message("msg_1", "user.created", "user_1\\u001b[2J\\u0007");
    screen.update(Update::Sending(evil), AT);
    let text = drawn(&screen, 120, 10);
    assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
}

#[test]
fn the_list_is_bounded() {
    let mut screen = screen();
    for number in 0..1_100 {
        let (id, subject) = (format!("msg_{number}"), format!("user_{number}"));
        screen.update(Update::Sending(message(&id, "user.created", &subject)), AT);
    }
    assert!(drawn(&screen, 120, 10).contains("events (1000)"));
}
