//! The page `docs/reference.md`: every command, its options and its examples, as the program has them.

use std::fmt::Write as _;

use clap::{Arg, Command};

const INTRODUCTION: &str = "\
# Reference of the command line

Every command with its options and examples, as `deskbell COMMAND --help` has them; the same as manual pages:
`deskbell man DIR`. [commands.md](commands.md) is the short table. This page is generated: do not edit it.
";

/// The page, for the whole program.
pub(super) fn page(program: Command) -> String {
    let mut program = program.disable_help_subcommand(true);
    program.build();
    let mut page = INTRODUCTION.to_owned();
    let global: Vec<_> = shown(&program).collect();
    page += "\n## Options of every command\n\n";
    write_options(&mut page, &global);
    write_tree(&mut page, &program, "deskbell");
    page
}

fn write_tree(page: &mut String, command: &Command, path: &str) {
    for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
        let path = format!("{path} {}", child.get_name());
        write_command(page, child, &path);
        write_tree(page, child, &path);
    }
}

fn write_command(page: &mut String, command: &Command, path: &str) {
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = write!(page, "\n## {path}\n\n{about}\n\n```text\n{usage}\n```\n");
    let options: Vec<_> = shown(command).filter(|option| !option.is_global_set()).collect();
    if !options.is_empty() {
        page.push('\n');
        write_options(page, &options);
    }
    if let Some(examples) = command.get_after_help() {
        let _ = write!(page, "\n```text\n{examples}\n```\n");
    }
}

/// The options and arguments that `--help` shows, without itself.
fn shown(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_own = |option: &&Arg| !matches!(option.get_id().as_str(), "help" | "version");
    command.get_arguments().filter(is_own).filter(|option| !option.is_hide_set())
}

fn write_options(page: &mut String, options: &[&Arg]) {
    *page += "| option | meaning |\n| --- | --- |\n";
    for option in options {
        let _ = writeln!(page, "| `{}` | {} |", cell(&name(option)), cell(&meaning(option)));
    }
}

/// As it is written on the command line.
fn name(option: &Arg) -> String {
    if option.is_positional() {
        return option.to_string();
    }
    match option.get_short() {
        Some(short) => format!("-{short}, {option}"),
        None => option.to_string(),
    }
}

fn meaning(option: &Arg) -> String {
    let mut text = option.get_help().map(ToString::to_string).unwrap_or_default();
    let values = option.get_possible_values();
    let is_switch = !option.get_action().takes_values();
    if !values.is_empty() && !is_switch && !option.is_hide_possible_values_set() {
        let values: Vec<_> = values
            .iter()
            .map(|value| match value.get_help() {
                Some(help) => format!("`{}`: {help}", value.get_name()),
                None => format!("`{}`", value.get_name()),
            })
            .collect();
        let _ = write!(text, " One of {}", values.join("; "));
    }
    let defaults: Vec<_> =
        option.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() && !is_switch {
        let _ = write!(text, " [default: {}]", defaults.join(", "));
    }
    if let Some(variable) = option.get_env() {
        let _ = write!(text, " [variable: {}]", variable.to_string_lossy());
    }
    text
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
