//! `deskbell completions` and `deskbell man`: what they write is what shells and `man` take.

use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::support::{Ran, directory, finish, run, within};

/// Runs a shell whose program comes from stdin; `None` where it is not installed.
async fn shell(program: &str, arguments: &[&str], script: &str) -> Option<Ran> {
    let mut shell = Command::new(program);
    shell.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut shell = shell.kill_on_drop(true).spawn().ok()?;
    let mut stdin = shell.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).await.unwrap();
    drop(stdin);
    let output = within(shell.wait_with_output()).await.unwrap();
    Some(Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    })
}

async fn script_for(shell: &str) -> String {
    let ran = run(directory().path(), &["completions", shell]).await;
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    ran.stdout
}

#[tokio::test]
async fn bash_completes_commands_and_options() {
    let script = script_for("bash").await;
    for (words, completed) in [
        ("deskbell ev", "events"),
        ("deskbell events sh", "show"),
        ("deskbell dead-letters retry --ca", "--cause"),
        ("deskbell completions po", "powershell"),
    ] {
        let last = words.split(' ').next_back().unwrap();
        let index = words.split(' ').count() - 1;
        let asked = format!(
            "{script}\nCOMP_WORDS=({words}) COMP_CWORD={index}\n_deskbell deskbell {last} ''\n\
             echo \"${{COMPREPLY[@]}}\"\n"
        );
        let ran = shell("bash", &["--norc"], &asked).await.expect("bash");
        assert_eq!((&*ran.stdout.replace('\n', ""), ran.code), (completed, 0), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn every_shell_can_read_its_script() {
    for (name, arguments) in [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])]
    {
        let script = script_for(name).await;
        assert!(script.contains("dead-letters"), "{name}");
        if let Some(ran) = shell(name, arguments, &script).await {
            assert_eq!((ran.code, &*ran.stderr), (0, ""), "{name}");
        }
    }
    assert!(script_for("powershell").await.contains("Register-ArgumentCompleter"));
    let unknown = run(directory().path(), &["completions", "csh"]).await;
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("[possible values: bash, zsh, fish, powershell]"));
}

#[tokio::test]
async fn a_manual_page_of_every_command() {
    let directory = directory();
    let ran = run(directory.path(), &["man", "share/man1"]).await;
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
    let pages = directory.path().join("share/man1");
    let main = std::fs::read_to_string(pages.join("deskbell.1")).unwrap();
    assert!(main.contains("deskbell\\-events(1)"), "{main}");
    for page in std::fs::read_dir(&pages).unwrap() {
        let path = page.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for section in [".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION"] {
            assert!(text.contains(section), "{}: {section}", path.display());
        }
        assert_renders(&path).await;
    }
    let list = std::fs::read_to_string(pages.join("deskbell-events-list.1")).unwrap();
    assert!(list.contains(".SH EXAMPLES\n.nf\nExamples:\n"), "{list}");
    let file = directory.path().join("deskbell.toml").display().to_string();
    let taken = run(directory.path(), &["man", &file]).await;
    assert_eq!(taken.code, 1);
    assert!(taken.stderr.contains("cannot write the manual pages to"), "{}", taken.stderr);
}

/// Has the page read by what shows it, where that is installed.
async fn assert_renders(page: &std::path::Path) {
    for (program, arguments) in
        [("mandoc", &["-W", "error,stop"][..]), ("groff", &["-man", "-K", "utf8", "-ww", "-z"])]
    {
        let mut reader = Command::new(program);
        reader.args(arguments).arg(page).stdin(Stdio::null());
        if std::process::Command::new(program).arg("--version").output().is_err() {
            continue;
        }
        let ran = finish(&mut reader).await;
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{program} {}", page.display());
    }
}
