//! A service that breaks one rule at a time, to see that the rule's test finds
//! it: what services offer is new, and few adapters keep these rules yet.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use futures::{FutureExt, TryStreamExt};
use mirror_storage::adapter::{MemoryBackend, MemoryProfile};
use mirror_storage::{
    Access, Backend, Body, ByteRange, ByteStream, Capabilities, ChangeFeed, Changes, CopyRange,
    Expect, FileStream, Guarded, Hint, KeepAttributes, KeptAttributes, NewFile, RemoteFile,
    RemotePath, Revision, StorageError, Stored, StoredRange, WriteMany,
};

use super::place::{Place, new_file};
use super::{attributes, copies, hints, many, power};

/// What it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// The last of many files is left out, and called done.
    LosesOne,
    /// The answers for many files stand the other way round.
    MixesAnswers,
    /// One of many files that fails takes all that follow with it.
    StopsAtTheFirst,
    /// Many files are stored over whatever stands there.
    ReplacesMany,
    /// Files of the view are not flushed, and said to be.
    FlushesNothing,
    IgnoresTimes,
    KeepsTimesAhead,
    /// A file that stands there with the same time is not written again.
    SkipsTheSame,
    OpensPrivateFiles,
    /// Nothing says that a file is private.
    HidesPrivacy,
    /// Only the first word counts on who may use files.
    HearsOnce,
    /// A file is as private as the one that it replaces.
    Inherits,
    /// A refused write changes what the file has beside its bytes.
    TouchesWhatItRefuses,
    /// A copy begins at another byte.
    CopiesElsewhere,
    /// A copy takes what there is of its range.
    CopiesShort,
    /// What was copied from is gone.
    MovesRanges,
    /// A copy is stored over whatever stands there.
    ReplacesByCopies,
    /// A copy is never stored over anything.
    CopiesOnlyAnew,
    /// A watch tells of one change, and never again.
    HintsOnce,
    /// Who gives up waiting for a hint has lost the next one.
    DropsHints,
    /// A hint goes to one of those who watch.
    TellsOne,
    /// A note of the watch stands among the files.
    NotesWatches,
}

struct Wrong {
    fault: Fault,
    memory: MemoryBackend,
    has_heard: AtomicBool,
    is_watched: Arc<AtomicBool>,
}

impl Wrong {
    fn place(fault: Fault) -> Place {
        let flushed_view = fault != Fault::FlushesNothing;
        let profile = MemoryProfile { flushed_view, ..MemoryProfile::EVERYTHING };
        let memory = MemoryBackend::with_clock(profile, Arc::new(SystemTime::now));
        let (has_heard, is_watched) = (AtomicBool::new(false), Arc::default());
        let wrong = Self { fault, memory: memory.clone(), has_heard, is_watched };
        Place::around(Arc::new(wrong), memory)
    }

    /// Writes what stands there once more, with other attributes.
    async fn touch(&self, file: &NewFile) {
        let bytes = self.memory.read(&file.path, ByteRange::ALL).await.expect("in memory");
        let chunks: Result<Vec<_>, _> = bytes.expect("it stands there").try_collect().await;
        let bytes = chunks.expect("in memory").concat();
        let anyhow = NewFile { expect: Expect::Anything, ..file.clone() };
        self.memory.write_as(&anyhow, bytes.into()).await.expect("in memory");
    }
}

#[async_trait]
impl Backend for Wrong {
    fn label(&self) -> &'static str {
        "wrong"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { flushed_view: true, ..self.memory.capabilities() }
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, StorageError> {
        let file = self.memory.stat(path).await?;
        let hides = self.fault == Fault::HidesPrivacy;
        Ok(file.map(|file| RemoteFile { is_private: file.is_private.filter(|_| !hides), ..file }))
    }

    fn list<'a>(&'a self, prefix: &'a RemotePath) -> FileStream<'a> {
        self.memory.list(prefix)
    }

    async fn read(
        &self,
        path: &RemotePath,
        range: ByteRange,
    ) -> Result<Option<ByteStream>, StorageError> {
        self.memory.read(path, range).await
    }

    async fn write(
        &self,
        path: &RemotePath,
        body: Body,
        expect: Expect,
    ) -> Result<Guarded<Revision>, StorageError> {
        let was_private = self.memory.access(path) == Some(Access::Owner);
        let mut file = new_file(path.as_str(), expect);
        file.attributes.is_private = self.fault == Fault::Inherits && was_private;
        self.memory.write_as(&file, body).await
    }

    async fn remove(&self, path: &RemotePath, expect: Expect) -> Result<Guarded<()>, StorageError> {
        self.memory.remove(path, expect).await
    }

    fn write_many(&self) -> Option<&dyn WriteMany> {
        Some(self)
    }

    fn keep_attributes(&self) -> Option<&dyn KeepAttributes> {
        Some(self)
    }

    fn copy_range(&self) -> Option<&dyn CopyRange> {
        Some(self)
    }

    fn change_feed(&self) -> Option<&dyn ChangeFeed> {
        Some(self)
    }
}

#[async_trait]
impl WriteMany for Wrong {
    async fn store_all(
        &self,
        mut files: Vec<(NewFile, Body)>,
    ) -> Result<Vec<Stored>, StorageError> {
        match self.fault {
            Fault::LosesOne => {
                let _ = files.pop();
                let mut stored = self.memory.store_all(files).await?;
                stored.push(Ok(Guarded::Done(Revision("lost".to_owned()))));
                Ok(stored)
            }
            Fault::MixesAnswers => {
                let mut stored = self.memory.store_all(files).await?;
                stored.reverse();
                Ok(stored)
            }
            Fault::ReplacesMany => {
                for (file, _) in &mut files {
                    file.expect = Expect::Anything;
                }
                self.memory.store_all(files).await
            }
            Fault::StopsAtTheFirst => {
                let mut stored = Vec::new();
                for (file, body) in files {
                    stored.push(match stored.last() {
                        Some(Err(_)) => Err(StorageError::Full),
                        _ => self.memory.write_as(&file, body).await,
                    });
                }
                Ok(stored)
            }
            Fault::FlushesNothing => {
                let mut stored = Vec::new();
                for (file, body) in files {
                    stored.push(self.memory.write_as(&file, body).await);
                }
                Ok(stored)
            }
            _ => self.memory.store_all(files).await,
        }
    }
}

#[async_trait]
impl KeepAttributes for Wrong {
    fn keeps(&self) -> KeptAttributes {
        self.memory.keeps()
    }

    fn set_access(&self, access: Access) {
        let is_first = !self.has_heard.swap(true, Ordering::Relaxed);
        if is_first || self.fault != Fault::HearsOnce {
            self.memory.set_access(access);
        }
    }

    async fn write_as(&self, file: &NewFile, body: Body) -> Stored {
        let mut wrong = file.clone();
        match self.fault {
            Fault::IgnoresTimes => wrong.attributes.modified = None,
            Fault::OpensPrivateFiles => wrong.attributes.is_private = false,
            Fault::KeepsTimesAhead => {
                let later = SystemTime::now() + Duration::from_hours(48);
                return self.memory.dated(later).write_as(file, body).await;
            }
            Fault::SkipsTheSame => {
                let seen = self.memory.stat(&file.path).await?;
                let same = seen.filter(|seen| seen.modified == file.attributes.modified);
                if let Some(same) = same {
                    return Ok(Guarded::Done(same.revision));
                }
            }
            _ => {}
        }
        let stored = self.memory.write_as(&wrong, body).await?;
        if stored == Guarded::Refused && self.fault == Fault::TouchesWhatItRefuses {
            self.touch(file).await;
        }
        Ok(stored)
    }
}

#[async_trait]
impl CopyRange for Wrong {
    async fn copy(&self, range: &StoredRange, file: &NewFile) -> Stored {
        let (mut range, mut file) = (range.clone(), file.clone());
        match self.fault {
            Fault::CopiesElsewhere => range.start += 1,
            Fault::CopiesShort => {
                let size = self.memory.stat(&range.path).await?.map_or(0, |source| source.size);
                range.start = range.start.min(size);
                range.len = range.len.min(size - range.start);
            }
            Fault::ReplacesByCopies => file.expect = Expect::Anything,
            Fault::CopiesOnlyAnew => file.expect = Expect::Absent,
            _ => {}
        }
        let copied = self.memory.copy(&range, &file).await;
        if self.fault == Fault::MovesRanges {
            self.memory.remove(&range.path, Expect::Anything).await?;
        }
        copied
    }
}

#[async_trait]
impl ChangeFeed for Wrong {
    async fn watch(&self, folder: &RemotePath) -> Result<Option<Box<dyn Changes>>, StorageError> {
        if self.fault == Fault::NotesWatches {
            let note = new_file("_mirror/watched", Expect::Anything);
            drop(self.memory.write_as(&note, "watched".into()).await);
        }
        let changes = self.memory.watch(folder).await?.expect("in memory");
        let is_second = self.is_watched.swap(true, Ordering::Relaxed);
        let is_deaf = is_second && self.fault == Fault::TellsOne;
        let (fault, told) = (self.fault, 0);
        Ok(Some(Box::new(WrongChanges { changes, fault, told, is_deaf })))
    }
}

struct WrongChanges {
    changes: Box<dyn Changes>,
    fault: Fault,
    told: usize,
    is_deaf: bool,
}

#[async_trait]
impl Changes for WrongChanges {
    async fn next(&mut self) -> Hint {
        let is_done = self.told > 0 && self.fault == Fault::HintsOnce;
        if self.is_deaf || is_done {
            return std::future::pending().await;
        }
        if self.fault == Fault::DropsHints {
            self.is_deaf = true;
        }
        let hint = self.changes.next().await;
        self.told += 1;
        self.is_deaf = false;
        hint
    }

    async fn holds(&self) -> bool {
        self.changes.holds().await
    }
}

/// The rule holds where nothing is wrong, and fails where this is.
async fn finds(fault: Fault, rule: impl AsyncFn(&Place)) {
    for (fault, is_right) in [(Fault::Nothing, true), (fault, false)] {
        let place = Wrong::place(fault);
        let ended = AssertUnwindSafe(rule(&place)).catch_unwind().await;
        assert_eq!(ended.is_ok(), is_right, "{fault:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_many_files_is_found() {
    finds(Fault::LosesOne, many::files_stored_together_are_all_there).await;
    finds(Fault::MixesAnswers, many::each_of_many_files_ends_by_itself).await;
    finds(Fault::StopsAtTheFirst, many::each_of_many_files_ends_by_itself).await;
    finds(Fault::ReplacesMany, many::each_name_is_given_to_one_of_many_groups).await;
    finds(Fault::FlushesNothing, power::files_stored_together_survive_a_power_cut).await;
    finds(Fault::FlushesNothing, power::view_survives_a_power_cut_as_far_as_it_is_said).await;
}

#[tokio::test]
async fn what_is_wrong_with_attributes_is_found() {
    finds(Fault::IgnoresTimes, attributes::file_has_the_time_that_was_asked_for).await;
    finds(Fault::KeepsTimesAhead, attributes::time_ahead_of_the_service_is_the_moment_of_the_write)
        .await;
    finds(Fault::SkipsTheSame, attributes::same_file_written_again_is_another_revision).await;
    finds(Fault::OpensPrivateFiles, attributes::private_file_is_for_its_owner_alone).await;
    finds(Fault::HidesPrivacy, attributes::private_file_is_told_from_others).await;
    finds(Fault::HearsOnce, attributes::access_is_that_of_the_time_of_the_write_by_any_call).await;
    finds(Fault::Inherits, attributes::file_has_no_attributes_of_the_one_that_it_replaces).await;
    finds(Fault::TouchesWhatItRefuses, attributes::refused_write_changes_no_attributes).await;
}

#[tokio::test]
async fn what_is_wrong_with_copies_is_found() {
    finds(Fault::CopiesElsewhere, copies::copied_range_is_a_file_of_its_own).await;
    finds(Fault::MovesRanges, copies::copied_range_is_a_file_of_its_own).await;
    finds(Fault::CopiesShort, copies::range_that_is_not_there_makes_no_copy).await;
    finds(Fault::ReplacesByCopies, copies::copy_is_guarded_as_a_write_is).await;
    finds(Fault::CopiesOnlyAnew, copies::copy_takes_the_place_of_a_file_where_it_may).await;
}

#[tokio::test]
async fn what_is_wrong_with_hints_is_found() {
    finds(Fault::HintsOnce, hints::each_change_is_hinted_at).await;
    finds(Fault::HintsOnce, hints::change_in_a_folder_that_appears_is_hinted_at).await;
    finds(Fault::DropsHints, hints::who_gives_up_waiting_misses_nothing).await;
    finds(Fault::TellsOne, hints::all_who_watch_are_told).await;
    finds(Fault::NotesWatches, hints::watching_changes_nothing).await;
}
