//! The note that a set-up is under way: it stands in the state from before the
//! first thing is made until the project is whole or all of it was taken back.
//! Without it, as when the state was lost, the project is one like any other.

use std::fs;
use std::path::{Path, PathBuf};

use mirror_core::Digest;

use crate::config::{Problem, ProjectConfig};
use crate::folders::make_private;
use crate::private_file::write_private;
use crate::projects::registry::Registry;

impl Registry {
    /// Notes that a set-up is begun; gives the note, unless it stood before.
    pub(super) fn note_beginning(
        &self,
        config: &ProjectConfig,
    ) -> Result<Option<PathBuf>, Problem> {
        if self.is_unfinished(config) {
            return Ok(None);
        }
        let note = self.note_of(config);
        let folder = note.parent().unwrap_or(&note);
        make_private(folder)
            .and_then(|()| write_private(&note, &config.name))
            .map_err(|error| Problem::unusable(&note, &error))?;
        Ok(Some(note))
    }

    /// Whether this machine began to make a project of this folder and this
    /// backend, and did not come to the end.
    pub(super) fn is_unfinished(&self, config: &ProjectConfig) -> bool {
        self.note_of(config).exists()
    }

    /// What was begun is whole, or a person wants none of it.
    pub(in crate::projects) fn forget_beginning(&self, config: &ProjectConfig) {
        remove_note(&self.note_of(config));
    }

    fn note_of(&self, config: &ProjectConfig) -> PathBuf {
        let what = format!("{}\n{}", config.url, config.root.display());
        self.folders.state.join("set-ups").join(Digest::of(what.as_bytes()).to_string())
    }
}

pub(super) fn remove_note(note: &Path) {
    match fs::remove_file(note) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(note = %note.display(), %error, "a set-up that is over reads as unfinished");
        }
        _ => {}
    }
}
