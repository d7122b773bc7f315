//! A set-up under way, and the note that says so: it stands in the state from before
//! the first thing is made until the project is whole or all of it was taken back.
//! Without it, as when the state was lost, the project is one like any other.
//!
//! The note holds the id of the first commit that is to be made: what stands on the
//! backend is this machine's own beginning only by that id.

use std::fs;
use std::path::{Path, PathBuf};

use mirror_core::commit::SharedMode;
use mirror_core::{Digest, Ulid};
use mirror_engine::{Covered, Holding};

use super::counted::Counted;
use super::plan::SetUp;
use super::rollback::Rollback;
use crate::config::{Problem, ProjectConfig};
use crate::folders::make_private;
use crate::private_file::write_private;
use crate::projects::registry::Registry;
use crate::projects::reservations::Reservation;

/// A set-up that has its place, with what it has made so far.
pub(super) struct Begun<'a> {
    pub(super) plan: SetUp,
    pub(super) config: ProjectConfig,
    pub(super) shared: SharedMode,
    pub(super) place: Reservation<'a>,
    pub(super) rollback: Rollback,
    pub(super) covered: Option<Covered>,
    pub(super) _counted: Counted<'a>,
}

/// What the first commit of a set-up is called, and whether an earlier run of the
/// same chose that.
#[derive(Clone, Copy, Debug)]
pub(super) struct First {
    pub(super) id: Ulid,
    is_noted: bool,
}

impl First {
    pub(super) fn is_noted(self) -> bool {
        self.is_noted
    }

    /// Whether the backend holds what this very set-up has begun.
    pub(super) fn is_in(self, holding: &Holding) -> bool {
        matches!(holding, Holding::Project { first, .. } if *first == self.id)
    }
}

impl Registry {
    /// By the note of an earlier run, if there is one that can be read.
    pub(super) fn first_of(&self, config: &ProjectConfig) -> First {
        let noted = fs::read_to_string(self.note_of(config)).ok();
        let noted = noted.and_then(|text| text.trim().parse().ok());
        First { id: noted.unwrap_or_else(Ulid::generate), is_noted: noted.is_some() }
    }

    /// Notes that a set-up is begun; gives the note.
    pub(super) fn note_beginning(
        &self,
        config: &ProjectConfig,
        first: First,
    ) -> Result<PathBuf, Problem> {
        let note = self.note_of(config);
        if !first.is_noted {
            let folder = note.parent().unwrap_or(&note);
            make_private(folder)
                .and_then(|()| write_private(&note, &format!("{}\n", first.id)))
                .map_err(|error| Problem::unusable(&note, &error))?;
        }
        Ok(note)
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

    pub(super) fn note_of(&self, config: &ProjectConfig) -> PathBuf {
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
