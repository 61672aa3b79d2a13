//! The screen, on a terminal, with its keys.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use deskbell_sim::receiver::{Receiver, Reply};

use super::super::support::terminal::Terminal;
use super::handler::verified;
use super::{Deployed, command};

const SIZE: (u16, u16) = (30, 140);

#[tokio::test]
async fn an_event_is_shown_sent_again_and_edited() {
    let deployed = Deployed::start().await;
    // The first is refused, and what is sent again is taken.
    let handler = Receiver::start(|request| {
        Reply::Status(if request.message_id == "msg_1" && request.attempt == 1 { 500 } else { 200 })
    });
    let handler = handler.await.unwrap();
    let editor = deployed.path().join("editor.sh");
    fs::write(&editor, "#!/bin/sh\nsed -i s/user_2/user_edited/ \"$1\"\n").unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let to = handler.url();
    let mut command = command(deployed.path(), &["--forward-to", &to]);
    command.env("TERM", "xterm-256color").env("EDITOR", &editor).env("PATH", "/usr/bin:/bin");
    let mut terminal = Terminal::start(&command, SIZE);
    terminal.until_shown("waiting for events").await;
    deployed.send(1, "user.created").await;
    let screen = terminal.until_shown("500").await;
    assert!(screen.contains("user.created user_1"), "{screen}");
    assert!(screen.contains("fix: the handler failed"), "{screen}");
    terminal.type_keys("r");
    terminal.until_shown("✓ user.created user_1 200").await;
    deployed.send(2, "user.updated").await;
    terminal.until_shown("✓ user.updated user_2 200").await;
    terminal.type_keys("e");
    terminal.until_shown("user.updated user_edited 200").await;
    terminal.type_keys("/edited\r");
    terminal.until(|screen| !screen.contains("user_1")).await;
    terminal.type_keys("q");
    let ran = terminal.finish().await;
    assert_eq!(ran.code, 0, "{}", ran.output);
    let received = handler.received();
    let ids: Vec<_> = received.iter().map(|request| &*request.message_id).collect();
    assert_eq!(ids[..3], ["msg_1", "msg_1", "msg_2"]);
    assert!(ids[3].starts_with("msg_") && ids[3] != "msg_2", "an edited event is another one");
    for request in &received {
        verified(request).unwrap();
    }
}

#[tokio::test]
async fn a_restart_of_the_server_is_shown() {
    let mut deployed = Deployed::start().await;
    let handler = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let to = handler.url();
    let mut command = command(deployed.path(), &["--forward-to", &to]);
    command.env("TERM", "xterm-256color");
    let mut terminal = Terminal::start(&command, SIZE);
    terminal.until_shown("waiting for events").await;
    deployed.kill().await;
    terminal.until_shown("connection lost").await;
    deployed.start_again().await;
    terminal.until(|screen| !screen.contains("connection lost")).await;
    deployed.send(1, "user.created").await;
    terminal.until_shown("✓ user.created user_1 200").await;
    terminal.type_keys("\x03");
    assert_eq!(terminal.finish().await.code, 0);
}
