//! Puts a new version in a file's place, or takes a file away, and loses no
//! version that a program saves meanwhile (B9).
//!
//! What stood at the name is moved under a temporary name, looked at, and moved
//! back when it isn't what was expected. It is looked at again when it is removed,
//! for a while if somebody was just saving it; a program that keeps the file open
//! and writes into it even later is beyond promise. All changes of names are flushed
//! before a call ends well.

use std::io::Read;
use std::os::fd::BorrowedFd;
use std::thread;
use std::time::Duration;

use mirror_core::{RelPath, State};
use rustix::fs::FileType;
use rustix::io::Errno;

use super::error::{self, Result};
use super::list::clear_empty;
use super::names::{Names, is_unsupported};
use super::sight::{self, Sight};
use crate::outside::Stamp;
use crate::outside::tree::{Expected, Put, Staged, Taken, TreeError, spare_of};

/// How often a program may save the file while its version is put back, before
/// the last one is rescued instead.
const ROUNDS: usize = 16;

/// When a file that somebody was just saving is looked at after it lost its name,
/// each time counted from the look before. A program that opens, writes and
/// closes it has done so by then, unless the machine hardly lets it run.
const LATE_LOOKS: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
];

/// Takes what would otherwise be lost.
pub(super) type Rescue<'a> = &'a mut dyn FnMut(&mut dyn Read) -> std::io::Result<()>;

/// One name in an open folder, about to be changed.
pub(super) struct Spot<'a> {
    pub(super) folder: BorrowedFd<'a>,
    pub(super) path: &'a RelPath,
    pub(super) temp: &'a str,
    pub(super) names: &'a dyn Names,
    pub(super) holds_exec: bool,
}

/// How an exchange of the two names ended.
enum Swapped {
    Done,
    /// There was no exchange in one step, and a program made a new file while
    /// the name was free. What was to come in stands at the spare name.
    Overtaken,
}

impl Spot<'_> {
    /// Puts the staged file in its place if what stands there is as expected.
    pub(super) fn put(
        &self,
        staged: &Staged,
        expected: Expected,
        rescue: Rescue<'_>,
    ) -> Result<Put> {
        if !self.is_at_temp(&staged.stamp)? {
            return Err(error::staged_is_gone(self.path));
        }
        let put = match expected {
            Expected::Absent => self.put_new(staged),
            Expected::State(expected) => self.put_over(staged, expected, rescue),
        };
        if put.is_err() && self.is_at_temp(&staged.stamp)? {
            self.remove(self.temp)?;
        }
        put
    }

    /// Whether the staged file still stands at the temporary name.
    fn is_at_temp(&self, staged: &Stamp) -> Result<bool> {
        let stat = error::absent_is_none(sight::stat_of(self.folder, self.temp));
        let stamp =
            stat.map_err(|errno| self.error(errno))?.and_then(|stat| sight::stamp_of(&stat));
        Ok(stamp.is_some_and(|stamp| is_untouched(&stamp, staged)))
    }

    fn put_new(&self, staged: &Staged) -> Result<Put> {
        let in_place = match self.kind_in_place() {
            // An empty folder is nobody's version of anything.
            Err(TreeError::IsFolder(_)) if clear_empty(self.folder, self.path.name()) => None,
            in_place => in_place?,
        };
        if in_place.is_some() {
            return self.changed();
        }
        match self.names.move_in(self.folder, self.temp, self.path.name()) {
            Ok(()) => {
                self.flush()?;
                Ok(Put::Done(self.stamp_in_place(&staged.stamp)?))
            }
            Err(Errno::EXIST) => self.changed(),
            Err(errno) => Err(self.error(errno)),
        }
    }

    fn put_over(&self, staged: &Staged, expected: State, rescue: Rescue<'_>) -> Result<Put> {
        if self.kind_in_place()? != Some(type_for(expected)) {
            return self.changed();
        }
        let known = State { exec: staged.stamp.exec, ..staged.state };
        let ours = Sight::unread(self.folder, self.temp, Some(known));
        let ours = ours.map_err(|errno| self.error(errno))?;
        match self.swap() {
            Ok(Swapped::Done) => {}
            Ok(Swapped::Overtaken) => {
                self.remove(&spare_of(self.temp))?;
                self.discard(self.temp, &[expected], rescue)?;
                return Ok(Put::Changed);
            }
            Err(Errno::NOENT) => return self.changed(),
            Err(errno) => return Err(self.error(errno)),
        }
        let out = self.look(self.temp)?;
        if self.is_any_of(&out, &[expected]) {
            self.retire(self.temp, out, rescue)?;
            return Ok(Put::Done(self.stamp_in_place(&staged.stamp)?));
        }
        self.put_back(ours, known, out, rescue)?;
        Ok(Put::Changed)
    }

    /// Removes the file if its state is `expected`.
    pub(super) fn take(&self, expected: State, rescue: Rescue<'_>) -> Result<Taken> {
        if self.kind_in_place()? != Some(type_for(expected)) {
            return Ok(Taken::Changed);
        }
        match self.names.move_out(self.folder, self.path.name(), self.temp) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Ok(Taken::Changed),
            Err(errno) => return Err(self.error(errno)),
        }
        let out = self.look(self.temp)?;
        if self.is_any_of(&out, &[expected]) {
            self.retire(self.temp, out, rescue)?;
            return Ok(Taken::Done);
        }
        match self.names.move_in(self.folder, self.temp, self.path.name()) {
            Ok(()) => {
                self.flush()?;
                Ok(Taken::Changed)
            }
            // Saved again meanwhile: that stays, and this must not be lost.
            Err(Errno::EXIST) => {
                self.discard(self.temp, &[], rescue)?;
                Ok(Taken::Changed)
            }
            Err(errno) => Err(self.error(errno)),
        }
    }

    /// Puts back what came out, `out`, for what was put in, `inside`.
    ///
    /// When neither comes out in return, a program saved over what was put in.
    /// That version is the newest and goes where it belongs, in exchange for
    /// the one just put back, and so on until what comes out is what went in.
    fn put_back(&self, inside: Sight, ours: State, out: Sight, rescue: Rescue<'_>) -> Result<()> {
        let (mut inside, mut held) = (inside, out);
        for _ in 0..ROUNDS {
            match self.swap() {
                Ok(Swapped::Done) => {}
                Ok(Swapped::Overtaken) => {
                    self.discard(&spare_of(self.temp), &[ours], rescue)?;
                    return self.discard(self.temp, &[ours], rescue);
                }
                Err(Errno::NOENT) if self.returns_to_free_name()? => return Ok(()),
                Err(Errno::NOENT) => continue,
                // It stays under the temporary name and is settled later (B3).
                Err(errno) => return Err(self.error(errno)),
            }
            let out = self.look(self.temp)?;
            // A folder can't be rescued, so it is never taken out again.
            if out.is_same(&inside) || held.file_type.is_dir() {
                break;
            }
            (inside, held) = (held, out);
        }
        self.discard(self.temp, &[ours], rescue)
    }

    /// Puts back what came out after a program removed what was put in; `false`
    /// when there is a file again.
    fn returns_to_free_name(&self) -> Result<bool> {
        match self.names.move_in(self.folder, self.temp, self.path.name()) {
            Ok(()) => {
                self.flush()?;
                Ok(true)
            }
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(self.error(errno)),
        }
    }

    /// Exchanges the name and the temporary name.
    fn swap(&self) -> std::result::Result<Swapped, Errno> {
        match self.names.exchange(self.folder, self.temp, self.path.name()) {
            Err(errno) if is_unsupported(errno) => self.swap_by_moving(),
            answer => answer.map(|()| Swapped::Done),
        }
    }

    /// Uses the spare name. All the while the first has what a program would
    /// miss, as after an exchange.
    fn swap_by_moving(&self) -> std::result::Result<Swapped, Errno> {
        let (name, spare) = (self.path.name(), &spare_of(self.temp));
        let move_out = |from, to| self.names.move_out(self.folder, from, to);
        let move_in = |from, to| self.names.move_in(self.folder, from, to);
        move_out(self.temp, spare)?;
        if let Err(errno) = move_out(name, self.temp) {
            move_out(spare, self.temp)?;
            return Err(errno);
        }
        match move_in(spare, name) {
            Ok(()) => Ok(Swapped::Done),
            Err(Errno::EXIST) => Ok(Swapped::Overtaken),
            Err(errno) => {
                move_in(self.temp, name)?;
                move_out(spare, self.temp)?;
                Err(errno)
            }
        }
    }

    /// Removes a temporary name, once what it stands for is known or rescued.
    fn discard(&self, name: &str, known: &[State], rescue: Rescue<'_>) -> Result<()> {
        let out = self.look(name)?;
        if !self.is_any_of(&out, known) {
            let opened = sight::open(self.folder, name).map_err(|errno| self.error(errno))?;
            // A folder or a pipe has nothing to rescue, and isn't ours to remove.
            let Some((_, mut reader)) = opened else {
                return Err(TreeError::Obstructed(self.path.clone()));
            };
            rescue(&mut reader).map_err(|cause| error::failed(self.path, cause))?;
        }
        self.retire(name, out, rescue)
    }

    /// Removes a temporary name whose content is known. A program that opened
    /// the file before it was moved out may have saved into it since, and one
    /// that saves all the time may be about to.
    fn retire(&self, name: &str, mut out: Sight, rescue: Rescue<'_>) -> Result<()> {
        self.remove(name)?;
        // Nothing is left of a late write but what is rescued now, so a failure
        // to flush can wait.
        let flushed = self.flush();
        let is_busy = out.is_busy();
        self.rescue_late(&mut out, rescue)?;
        for pause in LATE_LOOKS.into_iter().filter(|_| is_busy) {
            thread::sleep(pause);
            self.rescue_late(&mut out, rescue)?;
        }
        flushed
    }

    fn rescue_late(&self, out: &mut Sight, rescue: Rescue<'_>) -> Result<()> {
        let late = out.file_if_written().map_err(error::io_at(self.path))?;
        late.map_or(Ok(()), |file| rescue(file)).map_err(|cause| error::failed(self.path, cause))
    }

    fn look(&self, name: &str) -> Result<Sight> {
        Sight::of(self.folder, name).map_err(|errno| self.error(errno))
    }

    /// What kind of file stands at the name. Folders and special files are left
    /// alone: both are errors.
    fn kind_in_place(&self) -> Result<Option<FileType>> {
        let stat = error::absent_is_none(sight::stat_of(self.folder, self.path.name()));
        let file_type = stat.map_err(|errno| self.error(errno))?.map(|stat| sight::type_of(&stat));
        match file_type {
            Some(FileType::Directory) => Err(TreeError::IsFolder(self.path.clone())),
            None | Some(FileType::RegularFile | FileType::Symlink) => Ok(file_type),
            Some(_) => Err(TreeError::Obstructed(self.path.clone())),
        }
    }

    fn is_any_of(&self, out: &Sight, known: &[State]) -> bool {
        out.state.is_some_and(|state| {
            known.iter().any(|known| {
                let exec = if self.holds_exec { state.exec } else { known.exec };
                State { exec, ..state } == *known
            })
        })
    }

    fn changed(&self) -> Result<Put> {
        self.remove(self.temp)?;
        self.flush()?;
        Ok(Put::Changed)
    }

    /// Stamps the new file as it is after the last rename. If a program wrote
    /// into it already, or replaced it, the stamp is the staged one: it fits
    /// nothing on the disk, so the edit will be seen.
    fn stamp_in_place(&self, staged: &Stamp) -> Result<Stamp> {
        let stat = error::absent_is_none(sight::stat_of(self.folder, self.path.name()));
        let now = stat.map_err(|errno| self.error(errno))?.and_then(|stat| sight::stamp_of(&stat));
        Ok(match now {
            Some(now) if is_untouched(&now, staged) => now,
            _ => *staged,
        })
    }

    fn flush(&self) -> Result<()> {
        self.names.flush(self.folder).map_err(|errno| self.error(errno))
    }

    fn remove(&self, name: &str) -> Result<()> {
        let removed = error::absent_is_none(self.names.remove(self.folder, name));
        removed.map(Option::unwrap_or_default).map_err(|errno| self.error(errno))
    }

    fn error(&self, errno: Errno) -> TreeError {
        error::at(self.path)(errno)
    }
}

fn type_for(state: State) -> FileType {
    match state.kind {
        mirror_core::Kind::File => FileType::RegularFile,
        mirror_core::Kind::Link => FileType::Symlink,
    }
}

/// Whether a file differs from its stamp by renames only, which set the ctime.
fn is_untouched(now: &Stamp, staged: &Stamp) -> bool {
    let mut unmoved = *now;
    unmoved.identity.ctime_ns = staged.identity.ctime_ns;
    unmoved == *staged
}
