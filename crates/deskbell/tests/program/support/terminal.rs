//! A command on a terminal: what it shows there, and keys that are typed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;
use std::thread;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::{deskbell, within};

/// Rows and columns of a terminal that a test does not choose.
const SIZE: (u16, u16) = (40, 120);
/// Bytes of output that are read at a time.
const CHUNK_BYTES: usize = 4_096;

/// What a command that ended had written, escape sequences included, with `\n` at the end of lines.
#[derive(Debug)]
pub(crate) struct RanOnTerminal {
    pub(crate) code: i32,
    pub(crate) output: String,
}

impl RanOnTerminal {
    /// The output without colours and other styles.
    pub(crate) fn text(&self) -> String {
        let mut parts = self.output.split("\u{1b}[");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|character: char| character.is_ascii_alphabetic());
            text += end.map_or("", |end| &part[end + 1..]);
        }
        text
    }

    pub(crate) fn is_styled(&self) -> bool {
        self.output.contains('\u{1b}')
    }
}

/// Runs the program to its end on a terminal, with these variables set.
pub(crate) async fn run_on_terminal(
    directory: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> RanOnTerminal {
    let mut command = deskbell(directory);
    command
        .env_remove("NO_COLOR")
        .env("TERM", "xterm-256color")
        .args(arguments)
        .envs(environment.iter().copied());
    Terminal::start(&command, SIZE).finish().await
}

/// A running command, and the terminal that it is on.
pub(crate) struct Terminal {
    process: Child,
    keyboard: File,
    read: mpsc::UnboundedReceiver<Vec<u8>>,
    output: Vec<u8>,
    screen: vt100::Parser,
}

impl Terminal {
    /// Starts the command on a terminal of its own with these rows and columns. Of the command its
    /// program, arguments, directory and variables are used.
    pub(crate) fn start(command: &Command, size: (u16, u16)) -> Self {
        let (rows, columns) = size;
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&controller, size).unwrap();
        let path = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
        let process = on_terminal(command, Path::new(&path));
        let keyboard = File::from(controller);
        let read = read_all(keyboard.try_clone().unwrap());
        let screen = vt100::Parser::new(cell_count(rows), cell_count(columns), 0);
        Self { process, keyboard, read, output: Vec::new(), screen }
    }

    /// Types these characters: `\r` is Enter, `\x1b` Escape, `\x03` Ctrl-C.
    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// What the screen shows now, a line a row, without styles.
    pub(crate) fn screen(&self) -> String {
        self.screen.screen().contents()
    }

    /// Waits until the screen shows this text, and returns all that it shows.
    pub(crate) async fn until_shown(&mut self, text: &str) -> String {
        self.until(|screen| screen.contains(text)).await
    }

    /// Waits until this holds for what the screen shows, and returns that.
    pub(crate) async fn until(&mut self, holds: impl Fn(&str) -> bool) -> String {
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            let more = tokio::time::timeout(super::TIMEOUT, self.read_more()).await;
            assert!(more == Ok(true), "it does not come, or the command ended:\n{}", self.screen());
        }
    }

    /// Waits until the command ends.
    pub(crate) async fn finish(mut self) -> RanOnTerminal {
        while within(self.read_more()).await {}
        let status = within(self.process.wait()).await.unwrap();
        let output = String::from_utf8(self.output).unwrap().replace("\r\n", "\n");
        RanOnTerminal { code: status.code().unwrap_or(-1), output }
    }

    /// Whether there was more.
    async fn read_more(&mut self) -> bool {
        let Some(chunk) = self.read.recv().await else { return false };
        self.screen.process(&chunk);
        self.output.extend(chunk);
        true
    }
}

/// Starts the command with this terminal as its controlling one.
fn on_terminal(command: &Command, path: &Path) -> Child {
    let open = || {
        let mut options = OpenOptions::new();
        let flags = OFlags::NOCTTY.bits().cast_signed();
        Stdio::from(options.read(true).write(true).custom_flags(flags).open(path).unwrap())
    };
    let command = command.as_std();
    let mut on_terminal = Command::new("setsid");
    on_terminal
        .arg("--ctty")
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear()
        .envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdin(open())
        .stdout(open())
        .stderr(open())
        .kill_on_drop(true);
    if let Some(directory) = command.get_current_dir() {
        on_terminal.current_dir(directory);
    }
    // `setsid` runs the program in its own place, and so the process is the program's.
    on_terminal.spawn().expect("setsid of util-linux")
}

/// What is written to the terminal, until the last process closes it.
fn read_all(mut controller: File) -> mpsc::UnboundedReceiver<Vec<u8>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::spawn(move || {
        let mut chunk = vec![0; CHUNK_BYTES];
        // The kernel says by an error that nobody has the other end open.
        while let Ok(count @ 1..) = controller.read(&mut chunk) {
            if sender.send(chunk[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

fn cell_count(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has rows and columns")
}
