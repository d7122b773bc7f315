//! What a command prints: text for people, or one JSON document for programs.
//!
//! Stdout carries the answer and nothing else; faults and progress go to
//! stderr, questions to the terminal. A reader that has gone away never turns into a failure.

pub(crate) mod escape;
#[cfg(test)]
mod hostile;
pub(crate) mod json;
pub(crate) mod measure;
pub(crate) mod paint;
mod pieces;
pub(crate) mod progress;
mod set_aside;
pub(crate) mod text;
pub(crate) mod words;

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use mirror_proto::v1::Fault;
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::Value;

use crate::failure::Failure;
use paint::{ColorChoice, Paint};
use pieces::Pieces;
use progress::ProgressLine;

/// How to print for this run of the client.
#[derive(Debug)]
pub(crate) struct Output {
    /// The command as typed, its words joined by a space.
    command: &'static str,
    is_json: bool,
    is_quiet: bool,
    paint: Paint,
    error_paint: Paint,
}

/// Whether anybody still reads what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    Listening,
    Gone,
}

impl Output {
    pub(crate) fn new(
        command: &'static str,
        is_json: bool,
        is_quiet: bool,
        color: ColorChoice,
    ) -> Self {
        Self {
            command,
            is_json,
            is_quiet,
            paint: Paint::for_stdout(color, &io::stdout()),
            error_paint: Paint::for_stderr(color, &io::stderr()),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    /// True when a person looks at what is printed and wants all of it.
    pub(crate) fn is_chatty(&self) -> bool {
        !self.is_json && !self.is_quiet
    }

    /// Prints what was asked for as text, or hands it back to be part of the
    /// JSON document.
    pub(crate) fn tell(
        &self,
        json: impl FnOnce() -> Value,
        text: impl FnOnce(Paint) -> String,
    ) -> Result<Option<Value>, Failure> {
        if self.is_json {
            return Ok(Some(json()));
        }
        print(&text(self.paint))?;
        Ok(None)
    }

    /// Like [`Self::tell`], for what only confirms: `--quiet` leaves it out.
    pub(crate) fn confirm(
        &self,
        json: impl FnOnce() -> Value,
        text: impl FnOnce(Paint) -> String,
    ) -> Result<Option<Value>, Failure> {
        self.tell(json, |paint| if self.is_quiet { String::new() } else { text(paint) })
    }

    /// Prints what only people want to read, at once.
    pub(crate) fn say(&self, text: impl FnOnce(Paint) -> String) -> Result<(), Failure> {
        if self.is_chatty() {
            print(&text(self.paint))?;
        }
        Ok(())
    }

    /// Prints one of many: text, or a whole document on its line.
    pub(crate) fn print_next(
        &self,
        json: impl FnOnce() -> Value,
        text: impl FnOnce(Paint) -> String,
    ) -> Result<Reader, Failure> {
        if self.is_json { self.print_document(&json()) } else { print(&text(self.paint)) }
    }

    pub(crate) fn print_document(&self, result: &Value) -> Result<Reader, Failure> {
        let document = format!("{}\n", json::document(self.command, result));
        write_out(escape::harmless_json(&document).as_bytes())
    }

    pub(crate) fn print_failure(&self, failure: &Failure) {
        let text = if self.is_json {
            json::failure_line(Some(self.command), &failure.fault)
        } else {
            escape::harmless(&text::fault::report(&failure.fault, self.error_paint))
        };
        // With stderr gone there is nobody left to tell; the exit code stays.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Prints the failure of one of several projects.
    pub(crate) fn print_failure_of(&self, project: &str, failure: &Failure) {
        let mut fault = failure.fault.clone();
        fault.message = format!("{project}: {}", fault.message);
        self.print_failure(&Failure { fault, exit: failure.exit });
    }

    /// Says beside the answer what is wrong with a project; in a document the answer
    /// says it itself.
    pub(crate) fn warn(&self, project: Option<&String>, fault: &Fault) {
        let failure = fault.clone().into();
        match project {
            _ if self.is_json => {}
            Some(project) => self.print_failure_of(project, &failure),
            None => self.print_failure(&failure),
        }
    }

    /// Says something about the way, not the answer; only with `-v`.
    pub(crate) fn note(&self, text: &str) {
        let line = format!("{}\n", self.error_paint.dim(&escape::escape(text)));
        let _ = io::stderr().write_all(line.as_bytes());
    }

    pub(crate) fn progress(&self) -> ProgressLine {
        ProgressLine::new(self.is_chatty() && io::stderr().is_terminal())
    }

    /// For what is shown beside the answer, as a question is.
    pub(crate) fn paint(&self) -> Paint {
        self.paint
    }

    /// A terminal shows each round in the place of the last.
    pub(crate) fn begin_round(&self) -> Result<(), Failure> {
        if !self.is_json && io::stdout().is_terminal() {
            write_out(b"\x1b[H\x1b[2J")?;
        }
        Ok(())
    }
}

/// Prints to stdout at once.
pub(crate) fn print(text: &str) -> Result<Reader, Failure> {
    write_out(escape::harmless(text).as_bytes())
}

/// Prints the bytes of a file, in pieces that may end anywhere: as they are to a
/// file or a program, and so that they do no harm to a terminal.
pub(crate) struct ContentPrinter {
    is_terminal: bool,
    text: Pieces,
}

impl ContentPrinter {
    pub(crate) fn new() -> Self {
        Self { is_terminal: io::stdout().is_terminal(), text: Pieces::default() }
    }

    pub(crate) fn print(&mut self, piece: &[u8]) -> Result<Reader, Failure> {
        match self.is_terminal {
            true => print(&escape::harmless_content(&self.text.next(piece))),
            false => write_out(piece),
        }
    }

    /// Prints what the last piece left unfinished.
    pub(crate) fn end(self) -> Result<Reader, Failure> {
        print(&escape::harmless_content(&self.text.end()))
    }
}

/// Prints the bytes of a file that are all there.
pub(crate) fn print_bytes(bytes: &[u8]) -> Result<Reader, Failure> {
    let mut printer = ContentPrinter::new();
    match printer.print(bytes)? {
        Reader::Listening => printer.end(),
        Reader::Gone => Ok(Reader::Gone),
    }
}

fn write_out(bytes: &[u8]) -> Result<Reader, Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(Reader::Listening),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            READER_IS_GONE.store(true, Ordering::Relaxed);
            Ok(Reader::Gone)
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns once nobody can read stdout any more, however long nothing is printed: a pipe
/// that was closed, a terminal that is gone. Of a file it never does.
pub(crate) async fn reader_is_gone() {
    let (gone, told) = tokio::sync::oneshot::channel();
    // It waits for ever, and the end of the process does not wait for it.
    std::thread::spawn(move || {
        let stdout = io::stdout();
        let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
        if poll(&mut polled, None).is_ok() {
            let _ = gone.send(());
        }
    });
    if told.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Nobody reads stdout any more.
static READER_IS_GONE: AtomicBool = AtomicBool::new(false);

/// Whether all that was printed so far has been taken.
pub(crate) fn reader() -> Reader {
    if READER_IS_GONE.load(Ordering::Relaxed) { Reader::Gone } else { Reader::Listening }
}
