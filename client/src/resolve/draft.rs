//! A file with conflict markers that a person edits.
//!
//! It has the name of the file that it is about, so that editors know what it
//! is, in a folder that nobody else can look into.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;
use crate::terminal::Terminal;

#[derive(Debug)]
pub(super) struct Draft {
    folder: TempDir,
    file: PathBuf,
    marked: Vec<u8>,
}

/// How an editor was left.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EditorOutcome {
    Saved(Vec<u8>),
    /// Without a result, as people leave who changed their mind.
    GivenUp(String),
}

impl Draft {
    pub(super) fn new(path: &str, marked: &[u8]) -> Result<Self, Failure> {
        let nobody_else = Permissions::from_mode(0o700);
        let folder =
            tempfile::Builder::new().prefix("mirrorctl-").permissions(nobody_else).tempdir()?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let file = folder.path().join(name);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&file)?
            .write_all(marked)?;
        Ok(Self { folder, file, marked: marked.to_owned() })
    }

    /// Opens the editor, whatever it was left with before.
    pub(super) async fn edit(&self, terminal: &Terminal) -> Result<EditorOutcome, Failure> {
        // Ctrl-C belongs to the editor: held, the signal does nothing to us.
        let _held = signal(SignalKind::interrupt())?;
        let editor = terminal.editor();
        let (input, [output, errors]) = terminal.stdio()?;
        // The shell splits the editor's arguments as it does for git.
        let status = Command::new("sh")
            .args(["-c", &format!("{editor} \"$@\""), editor])
            .arg(&self.file)
            .stdin(input)
            .stdout(output)
            .stderr(errors)
            .status()
            .await?;
        if !status.success() {
            return Ok(EditorOutcome::GivenUp(format!("`{editor}` ended with {status}")));
        }
        let edited = fs::read(&self.file).map(EditorOutcome::Saved);
        Ok(edited.unwrap_or_else(|_| EditorOutcome::GivenUp(format!("`{editor}` left no file"))))
    }

    /// Keeps a file with something of a person's in it, and says where.
    pub(super) fn leave(self) -> Option<PathBuf> {
        let is_touched = fs::read(&self.file).is_ok_and(|content| content != self.marked);
        is_touched.then(|| {
            let _ = self.folder.keep();
            self.file
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A draft holds both sides of a file that may be private.
    #[test]
    fn nobody_else_may_read_a_draft() {
        let draft = Draft::new("notes/secret.md", b"both sides").unwrap();

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(draft.folder.path()), 0o700);
        assert_eq!(mode(&draft.file), 0o600);
        assert_eq!(fs::read(&draft.file).unwrap(), b"both sides");
    }
}
