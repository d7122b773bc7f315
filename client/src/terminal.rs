//! The person at the terminal, asked one line at a time.
//!
//! There is one only where stdin and stdout both are terminals: nobody else is
//! ever asked. The editor is the one that this person chose.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::Stdio;

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// The editor that POSIX promises to be there.
const LAST_RESORT: &str = "vi";

#[derive(Debug)]
pub(crate) struct Terminal {
    input: File,
    output: File,
    editor: String,
}

/// What a person did when asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Line(String),
    /// Nothing more will be typed.
    End,
    /// Ctrl-C.
    Interrupted,
}

impl Terminal {
    /// The one that this process was started from.
    pub(crate) fn of_process() -> Option<Self> {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let own = |handle: BorrowedFd<'_>| handle.try_clone_to_owned().ok().map(File::from);
        match stdin.is_terminal() && stdout.is_terminal() {
            true => Some(Self {
                input: own(stdin.as_fd())?,
                output: own(stdout.as_fd())?,
                editor: chosen_editor(),
            }),
            false => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn at(file: &File, editor: &str) -> Self {
        assert!(file.is_terminal());
        let own = || file.try_clone().expect("a second handle");
        Self { input: own(), output: own(), editor: editor.to_owned() }
    }

    /// With its arguments, as a shell reads them.
    pub(crate) fn editor(&self) -> &str {
        &self.editor
    }

    pub(crate) fn show(&self, text: &str) -> Result<(), Failure> {
        Ok((&self.output).write_all(text.as_bytes())?)
    }

    pub(crate) async fn ask(&self, question: &str) -> Result<Answer, Failure> {
        // Before the question: whoever reads it may answer with Ctrl-C at once.
        let mut interrupts = signal(SignalKind::interrupt())?;
        self.show(question)?;
        let input = self.input.try_clone()?;
        let typed = tokio::task::spawn_blocking(move || line(&input));
        tokio::select! {
            typed = typed => {
                Ok(typed.map_err(|error| Failure::internal(error.to_string()))??)
            }
            _ = interrupts.recv() => {
                self.show("\n")?;
                Ok(Answer::Interrupted)
            }
        }
    }

    /// What another program needs to speak with the same person: its stdin,
    /// and where it prints.
    pub(crate) fn stdio(&self) -> io::Result<(Stdio, [Stdio; 2])> {
        let printing = || self.output.try_clone().map(Stdio::from);
        Ok((self.input.try_clone()?.into(), [printing()?, printing()?]))
    }
}

fn chosen_editor() -> String {
    let chosen = |name| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    chosen("VISUAL").or_else(|| chosen("EDITOR")).unwrap_or_else(|| LAST_RESORT.to_owned())
}

/// Reads no further than the end of the line: what follows may be meant for an
/// editor.
fn line(mut input: &File) -> io::Result<Answer> {
    let (mut typed, mut byte) = (Vec::new(), [0]);
    loop {
        match input.read(&mut byte) {
            Ok(0) if typed.is_empty() => return Ok(Answer::End),
            Ok(0) => break,
            Ok(_) if byte == *b"\n" => break,
            Ok(_) => typed.extend(byte),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Answer::Line(String::from_utf8_lossy(&typed).into_owned()))
}
