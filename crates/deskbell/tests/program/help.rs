//! What the program says of itself.

use super::support::{directory, run};

fn assert_output(name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The commands that a help lists, without `help` itself.
fn commands_in(help: &str) -> Vec<String> {
    let listed = help.split_once("Commands:\n").map_or("", |(_, listed)| listed);
    let listed = listed.split("\n\n").next().unwrap_or_default();
    // A line that goes on is indented further.
    let names = listed.lines().filter_map(|line| line.strip_prefix("  "));
    let names =
        names.filter(|line| !line.starts_with(' ')).filter_map(|line| line.split(' ').next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[tokio::test]
async fn help_of_every_command() {
    let directory = directory();
    let mut left = vec![Vec::<String>::new()];
    let mut count = 0;
    while let Some(command) = left.pop() {
        let words: Vec<_> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let ran = run(directory.path(), &words).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_output(&format!("help_{}", command.join("_")), &ran.stdout);
        let below = commands_in(&ran.stdout).into_iter();
        left.extend(below.map(|name| [command.clone(), vec![name]].concat()));
        count += 1;
    }
    assert!(count > 40, "{count}");
}

#[tokio::test]
async fn types_are_listed() {
    let directory = directory();
    assert_output("types", &run(directory.path(), &["types"]).await.stdout);
    assert_output("types_json", &run(directory.path(), &["types", "--json"]).await.stdout);
}

#[tokio::test]
async fn a_type_has_fields_and_a_sample() {
    let directory = directory();
    for (name, arguments) in [
        ("types_user_created", &["types", "user.created"][..]),
        ("types_user_created_sample", &["types", "user.created", "--sample"]),
        ("types_user_deleted_json", &["types", "user.deleted", "--json"]),
    ] {
        let ran = run(directory.path(), arguments).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_output(name, &ran.stdout);
    }
    let ran = run(directory.path(), &["types", "session.created", "--sample", "--json"]).await;
    assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
    let unknown = run(directory.path(), &["types", "user.craeted"]).await;
    assert_eq!(unknown.code, 2, "{unknown:?}");
    assert!(unknown.stderr.contains("did you mean user.created"), "{unknown:?}");
    let none = run(directory.path(), &["types", "--sample"]).await;
    assert_eq!(none.code, 2, "{none:?}");
}

#[tokio::test]
async fn the_effective_config_is_shown_without_secrets() {
    let directory = directory();
    for (name, arguments) in [
        ("config_show", &["config", "show"][..]),
        ("config_show_json", &["config", "show", "--json"]),
        ("config_check", &["config", "check"]),
        ("config_check_json", &["config", "check", "--json"]),
    ] {
        let ran = run(directory.path(), arguments).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(!ran.stdout.contains("whsec_"), "{}", ran.stdout);
        assert_output(name, &ran.stdout);
    }
}

#[tokio::test]
async fn what_is_shown_can_be_read_again() {
    let directory = directory();
    let shown = run(directory.path(), &["config", "show"]).await.stdout;
    let shown = shown.replace("<redacted>", "env:CLERK_WEBHOOK_SIGNING_SECRET");
    std::fs::write(directory.path().join("shown.toml"), shown).unwrap();
    let ran = run(directory.path(), &["config", "check", "--config", "shown.toml"]).await;
    assert_eq!((ran.code, &*ran.stdout), (0, "shown.toml is valid\n"), "{}", ran.stderr);
}

#[tokio::test]
async fn wrong_usage_ends_with_2() {
    let directory = directory();
    for arguments in [&[][..], &["srve"], &["serve", "--nonsense"], &["trigger"]] {
        assert_eq!(run(directory.path(), arguments).await.code, 2, "{arguments:?}");
    }
}
