//! What both sides of a conflict are called, and whose they are.
//!
//! One side is always this folder. The other is called by the person who committed
//! it, or by the place where somebody wrote it.

use mirror_core::RelPath;
use mirror_core::commit::Action;
use mirror_core::path::display_safe;

use crate::api::{ChangedBy, Conflict, EngineResult, OtherSide, Resolution};
use crate::data::conflicts::Record;
use crate::error::EngineError;
use crate::project::worker::Worker;

/// Who made a commit, and whether what it brings was written on the backend.
struct Made {
    by: ChangedBy,
    is_external: bool,
}

impl Worker {
    pub(crate) async fn conflict_of(&self, record: &Record) -> EngineResult<Conflict> {
        let seq = record.remote.map(|remote| remote.seq).filter(|seq| *seq > 0);
        let made = match seq {
            // Who it was can't be had of an entry that is neither here nor there.
            Some(seq) => self.made_at(seq).await.unwrap_or_else(|error| {
                tracing::info!(seq, %error, "it is not known who made a side");
                None
            }),
            None => None,
        };
        let outside = record.place.is_some();
        let (local_made, remote_made) = if outside { (made, None) } else { (None, made) };
        let is_external = outside || remote_made.as_ref().is_some_and(|made| made.is_external);
        let place = is_external.then(|| self.spec.backend_name.clone());
        let remote_commit = remote_made.as_ref().map(|made| made.by.seq);
        let remote_by = remote_made.map(|made| made.by);
        let other = self.other_side(remote_by.as_ref(), place.as_deref());
        let here = self.index.get(&record.path).map(|indexed| indexed.state.digest);
        Ok(Conflict {
            path: record.path.clone(),
            kind: record.kind,
            binary: record.binary,
            base: record.base_digest(),
            local: record.local_digest().filter(|_| !self.index.is_unread(&record.path)),
            remote: record.remote_digest(),
            remote_by: remote_by.filter(|_| place.is_none()),
            remote_commit,
            place,
            local_by: local_made.map(|made| made.by),
            is_elsewhere: outside && here != record.local_digest(),
            other,
            since: record.since,
            token: record.token(),
            outside,
        })
    }

    async fn made_at(&self, seq: u64) -> EngineResult<Option<Made>> {
        if let Some(made) = self.log.history().snapshots().get(&seq) {
            let (user, machine) = (made.user.clone(), made.machine.clone());
            let is_external = made.action == Action::External;
            return Ok(Some(Made {
                by: ChangedBy { user, machine, seq, time: made.time },
                is_external,
            }));
        }
        let entry = self.log.entry(seq).await?;
        Ok(entry.commit.map(|made| Made {
            by: ChangedBy {
                user: made.user.clone(),
                machine: made.machine.clone(),
                seq,
                time: made.time,
            },
            is_external: made.action == Action::External,
        }))
    }

    fn other_side(&self, by: Option<&ChangedBy>, place: Option<&str>) -> OtherSide {
        let word_of = |place: &str| if is_word(place) { place } else { "there" }.to_owned();
        let (name, word) = match (by, place) {
            (None, Some(place)) => (format!("{place}, edited there"), word_of(place)),
            (Some(by), Some(place)) => (format!("#{}, edited on {place}", by.seq), word_of(place)),
            (Some(ChangedBy { user, machine, seq, .. }), None) => {
                let is_word = *machine != self.spec.author.machine && is_word(machine);
                let word = if is_word { machine.clone() } else { format!("#{seq}") };
                (format!("#{seq} by {} on {}", display_safe(user), display_safe(machine)), word)
            }
            (None, None) => ("the head".to_owned(), "there".to_owned()),
        };
        OtherSide { name, word }
    }

    /// The resolution that a side's name means, of the conflict as it is recorded.
    pub(crate) async fn resolution_of(
        &self,
        path: &RelPath,
        resolution: &Resolution,
    ) -> EngineResult<Resolution> {
        let Resolution::Side(typed) = resolution else { return Ok(resolution.clone()) };
        let outside = || self.outside_standing().into_iter().find(|record| record.path == *path);
        let record = self.conflicts.get(path).cloned().or_else(outside);
        let record = record.ok_or_else(|| EngineError::NoConflict(path.as_str().to_owned()))?;
        let Conflict { other, remote_commit, .. } = self.conflict_of(&record).await?;
        let is = |name: &str| typed.eq_ignore_ascii_case(name);
        let number = typed.strip_prefix('#').unwrap_or(typed).parse().ok();
        let is_commit = number.is_some() && number == remote_commit;
        if is("here") || is("local") {
            Ok(Resolution::Local)
        } else if is("there") || is("remote") || is(&other.word) || is(&other.name) || is_commit {
            Ok(Resolution::Remote)
        } else {
            let (path, typed, word) = (path.clone(), typed.clone(), other.word);
            Err(EngineError::NoSuchSide { path, typed, word })
        }
    }
}

/// What a person can answer of a conflict, beside the name of the other side. Their
/// first letters mean the same, so no single letter is a name.
const ANSWERS: [&str; 8] = ["here", "there", "local", "remote", "merged", "edit", "skip", "quit"];

/// Whether the name of a machine or a backend can be typed for its side.
fn is_word(name: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let is_taken = ANSWERS.contains(&name.to_lowercase().as_str());
    (2..=64).contains(&name.len()) && !is_taken && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_that_answers_something_else_is_no_word_for_a_side() {
        for name in ["desktop", "nas", "pi-4.local", "h2"] {
            assert!(is_word(name), "{name}");
        }
        for name in ["", "l", "H", "Here", "local", "quit", "two words", "#3", &"n".repeat(65)] {
            assert!(!is_word(name), "{name}");
        }
    }
}
