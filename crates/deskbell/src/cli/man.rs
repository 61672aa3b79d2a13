//! `deskbell man`: a manual page of the program and of each command.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use miette::Diagnostic;

use super::exit;

const EXAMPLE: &str = "\
Examples:
  deskbell man ~/.local/share/man/man1       then read `man deskbell-events-list`
  deskbell man build/man                     for a package";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Directory that the pages are written to; it is made if need be.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("cannot write the manual pages to {}", directory.display())]
#[diagnostic(help("choose a directory that you may write to"))]
struct CannotWrite {
    directory: PathBuf,
    source: io::Error,
}

pub(super) fn run(arguments: &Arguments, program: Command) -> Result<ExitCode, exit::Failure> {
    let directory = &arguments.directory;
    let count = write_all(program, directory).map_err(|source| {
        let directory = directory.clone();
        exit::Failure::failed_with_help(CannotWrite { directory, source })
    })?;
    errln!("{count} pages written to {}", directory.display());
    Ok(ExitCode::from(exit::DONE))
}

fn write_all(program: Command, directory: &Path) -> io::Result<usize> {
    fs::create_dir_all(directory)?;
    let mut program = program.disable_help_subcommand(true);
    program.build();
    write_tree(&program, directory)
}

/// How many pages were written.
fn write_tree(command: &Command, directory: &Path) -> io::Result<usize> {
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    render(&man, command, &mut page)?;
    fs::write(directory.join(man.get_filename()), page)?;
    let mut count = 1;
    for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
        count += write_tree(child, directory)?;
    }
    Ok(count)
}

fn render(man: &Man, command: &Command, page: &mut dyn Write) -> io::Result<()> {
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    let Some(examples) = command.get_after_help() else { return Ok(()) };
    let mut section = Roff::new();
    section.control("SH", ["EXAMPLES"]);
    // As they are: without filling of lines.
    section.control("nf", []);
    for line in examples.to_string().lines() {
        section.text([roman(line)]);
    }
    section.control("fi", []);
    section.to_writer(page)
}
