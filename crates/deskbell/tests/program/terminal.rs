//! On a terminal and off it: colours there alone, the same text and exit code on both.

use super::support::terminal::{Terminal, run_on_terminal};
use super::support::{Serving, deskbell, directory, mirror_at, run, trigger};

/// Commands whose data goes to stdout and that say nothing else.
const COMMANDS: [&[&str]; 8] = [
    &["types"],
    &["types", "--json"],
    &["config", "check"],
    &["config", "show"],
    &["schema", "print"],
    &["destinations"],
    &["verify", "--help"],
    &["--version"],
];

#[tokio::test]
async fn data_is_the_same_on_a_terminal() {
    let directory = directory();
    for arguments in COMMANDS {
        let off = run(directory.path(), arguments).await;
        let on = run_on_terminal(directory.path(), arguments, &[]).await;
        assert_eq!((on.code, on.text()), (off.code, off.stdout), "{arguments:?}");
    }
}

#[tokio::test]
async fn what_became_of_events_is_the_same_on_a_terminal() {
    let directory = directory();
    let path = directory.path();
    let serving = Serving::start(path).await;
    trigger(path, &serving.url(), "user.created", "msg_1", &["data.id=user_1"]).await;
    mirror_at(path, 1).await;
    let headers = ["--id", "msg_1", "--timestamp", "1780000000", "--signature", "v1,AAAA"];
    let refused = [&["verify", "--payload", "{}", "--now", "1780000000"], &headers[..]].concat();
    for (arguments, code) in [
        (&["events", "list"][..], 0),
        (&["events", "show", "msg_1"], 0),
        (&["events", "list", "--json"], 0),
        (&["explain", "user_1"], 0),
        (&["dead-letters", "list"], 0),
        (&refused, 1),
    ] {
        let off = run(path, arguments).await;
        let on = run_on_terminal(path, arguments, &[]).await;
        assert_eq!((on.code, on.text()), (code, off.stdout + &off.stderr), "{arguments:?}");
        assert_eq!(off.code, code, "{arguments:?}");
    }
}

#[tokio::test]
async fn an_error_has_colours_on_a_terminal_alone() {
    let directory = directory();
    std::fs::write(directory.path().join("deskbell.toml"), "[server]\nlisten = 3000\n").unwrap();
    let arguments = ["config", "check"];
    let off = run(directory.path(), &arguments).await;
    assert!(!off.stderr.contains('\u{1b}'), "{}", off.stderr);
    let on = run_on_terminal(directory.path(), &arguments, &[]).await;
    assert_eq!((off.code, on.code), (64, 64));
    assert!(on.is_styled(), "{}", on.output);
    assert!(on.text().contains("expected a string, found integer `3000`"), "{}", on.output);
    for off in [[("NO_COLOR", "1")], [("TERM", "dumb")]] {
        let plain = run_on_terminal(directory.path(), &arguments, &off).await;
        assert!(!plain.is_styled(), "{off:?}: {}", plain.output);
    }
    let json = run_on_terminal(directory.path(), &["config", "check", "--json"], &[]).await;
    assert!(!json.is_styled() && json.output.starts_with('{'), "{}", json.output);
}

#[tokio::test]
async fn wrong_usage_has_colours_on_a_terminal_alone() {
    let directory = directory();
    let off = run(directory.path(), &["srve"]).await;
    let on = run_on_terminal(directory.path(), &["srve"], &[]).await;
    assert_eq!((on.code, on.text()), (2, off.stderr.clone()));
    assert!(on.is_styled() && !off.stderr.contains('\u{1b}'));
    let plain = run_on_terminal(directory.path(), &["srve"], &[("NO_COLOR", "1")]).await;
    assert_eq!(plain.output, off.stderr);
}

#[tokio::test]
async fn control_c_ends_a_server_on_a_terminal() {
    let directory = directory();
    let mut command = deskbell(directory.path());
    command.arg("serve");
    let mut terminal = Terminal::start(&command, (24, 100));
    terminal.until_shown("listens on").await;
    terminal.type_keys("\u{3}");
    assert_eq!(terminal.finish().await.code, 0);
}
