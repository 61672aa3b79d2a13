//! `deskbell completions`: a script that completes commands and options in a shell.

use std::process::ExitCode;

use clap::{Args, Command, ValueEnum};
use clap_complete::Shell;

use super::exit;

const PROGRAM: &str = "deskbell";

const EXAMPLE: &str = "\
Examples:
  deskbell completions bash > ~/.local/share/bash-completion/completions/deskbell
  deskbell completions zsh > ~/.zfunc/_deskbell
  deskbell completions fish > ~/.config/fish/completions/deskbell.fish
  deskbell completions powershell >> $PROFILE

They take effect in the next shell. bash needs the package bash-completion. For zsh, ~/.zshrc needs
`fpath+=~/.zfunc` before `autoload -Uz compinit && compinit`.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Shell that the script is for.
    #[arg(value_enum)]
    shell: ShellName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ShellName {
    Bash,
    Zsh,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
}

pub(super) fn run(arguments: &Arguments, mut program: Command) -> ExitCode {
    let shell = match arguments.shell {
        ShellName::Bash => Shell::Bash,
        ShellName::Zsh => Shell::Zsh,
        ShellName::Fish => Shell::Fish,
        ShellName::PowerShell => Shell::PowerShell,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, PROGRAM, &mut script);
    outln!("{}", String::from_utf8_lossy(&script).trim_end());
    ExitCode::from(exit::DONE)
}
