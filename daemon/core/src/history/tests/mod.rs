//! What a log adds up to. Every test goes through [`Log`], which holds each
//! entry it is given to the promises that all entries share.

mod changes;
mod checkpoints;
mod contents;
mod garbage;
mod merges;
mod packs;
mod random;
mod settings;
mod snapshots;
mod tampered;
mod voids;

use super::{Applied, History};
use crate::commit::{Action, Change, Input, Method, Pack, PackedContent, Resolved, Settings};
use crate::path::Names;
use crate::patterns::Patterns;
use crate::{Chunk, Commit, Digest, Entry, Kind, RelPath, Timestamp, Ulid, checkpoint};

/// A log and what it adds up to.
#[derive(Clone, Debug, Default)]
struct Log {
    history: History,
    /// The entries, or why one can't be read.
    entries: Vec<Result<Commit, String>>,
}

impl Log {
    /// A log with entry 1, which has no files.
    fn new() -> Self {
        let mut log = Self::default();
        let first = log.draft(Action::Settings);
        log.counts(Commit { settings: Some(settings("notes", &["**"])), ..first });
        log
    }

    /// A log with entry 1 and a push for each of these; see [`Log::push`].
    fn of(pushes: &[&str]) -> Self {
        let mut log = Self::new();
        for changes in pushes {
            let push = log.push(changes);
            log.counts(push);
        }
        log
    }

    /// An entry that fits at the head and does nothing.
    fn draft(&self, action: Action) -> Commit {
        let seq = self.history.head() + 1;
        Commit {
            format: 1,
            seq,
            id: Ulid(u128::from(seq)),
            parent: self.history.head_digest(),
            parent_ref: None,
            time: Timestamp(i64::try_from(seq).unwrap()),
            user: "ann".to_owned(),
            machine: "laptop".to_owned(),
            machine_id: Ulid(1),
            action,
            tag: None,
            message: None,
            settings: None,
            consent: None,
            allow_secrets: None,
            checkpoint: None,
            changes: Vec::new(),
            resolved: Vec::new(),
            packs: Vec::new(),
            dropped_packs: Vec::new(),
            forgotten: Vec::new(),
            promote: None,
            moved: None,
        }
    }

    /// A push of changes like `a=x b=-`: the text `x` to `a`, and `b` deleted.
    /// A pack with the number of the entry brings what isn't there yet.
    fn push(&self, changes: &str) -> Commit {
        let mut push = self.draft(Action::Push);
        let mut new: Vec<&str> = Vec::new();
        for change in changes.split_whitespace() {
            let (name, text) = change.split_once('=').unwrap();
            let path = path(name);
            let from = self.history.manifest().get(&path).map(|placed| placed.entry.sha256);
            let to = (text != "-").then(|| file(text));
            if to.is_some() && self.history.place(digest(text)).is_none() && !new.contains(&text) {
                new.push(text);
            }
            push.changes.push(Change { path, from, to, renamed_from: None });
        }
        push.packs.extend((!new.is_empty()).then(|| pack(push.seq, &new)));
        push
    }

    /// A push that settles a conflict from these texts.
    fn merge(&self, changes: &str, inputs: Vec<Input>) -> Commit {
        let push = self.push(changes);
        let strategy = crate::commit::Strategy::Merged;
        let resolved = vec![Resolved { path: path("a"), base: None, inputs, strategy }];
        Commit { resolved, ..push }
    }

    /// A gc that drops the packs that these entries brought.
    fn gc(&self, entries: &[u64]) -> Commit {
        let dropped_packs = entries.iter().map(|seq| Ulid(u128::from(*seq))).collect();
        Commit { dropped_packs, ..self.draft(Action::Gc) }
    }

    fn forget(&self, forgotten: &[u64]) -> Commit {
        Commit { forgotten: forgotten.to_vec(), ..self.draft(Action::Forget) }
    }

    /// Appends an entry that has to count; gives its number.
    #[track_caller]
    fn counts(&mut self, commit: Commit) -> u64 {
        assert_eq!(self.append(Ok(commit)), None);
        self.history.head()
    }

    /// Appends an entry that has to be void, for a reason that says this.
    #[track_caller]
    fn voids(&mut self, commit: Commit, reason: &str) -> u64 {
        let why = self.append(Ok(commit)).expect("the entry counts");
        assert!(why.contains(reason), "void, but because {why}");
        self.history.head()
    }

    /// `good` counts here, and once spoilt is void, for a reason that says this.
    #[track_caller]
    fn void_once(&self, good: &Commit, spoil: impl FnOnce(&mut Commit), reason: &str) {
        self.clone().counts(good.clone());
        let mut spoilt = good.clone();
        spoil(&mut spoilt);
        self.clone().voids(spoilt, reason);
    }

    /// Appends an entry and checks what holds for each; says why it is void.
    #[track_caller]
    fn append(&mut self, entry: Result<Commit, String>) -> Option<String> {
        let before = self.history.clone();
        let bytes = entry.as_ref().map_or(b"\xff".to_vec(), Commit::to_bytes);
        let checked = entry.as_ref().ok().map(|commit| self.history.check(commit));
        assert_same(&self.history, &before);

        let seq = before.head + 1;
        let applied =
            self.history.apply(seq, Digest::of(&bytes), entry.as_ref().map_err(Clone::clone));
        self.entries.push(entry);

        assert_eq!(self.history.head(), seq);
        assert_eq!(self.history.head_digest(), Some(Digest::of(&bytes)));
        assert_eq!(self.history.names, names_of(&self.history));
        let checked =
            checked.map(|checked| checked.map_or_else(Applied::Void, |()| Applied::Counted));
        assert!(checked.is_none_or(|checked| checked == applied), "check and apply disagree");
        match applied {
            Applied::Counted => None,
            Applied::Void(void) => {
                self.assert_only_kept_more_than(&before);
                Some(void.to_string())
            }
        }
    }

    /// A void entry moves the head, and may make fewer things garbage.
    #[track_caller]
    fn assert_only_kept_more_than(&self, before: &History) {
        let after = &self.history;
        assert!(before.void_contents.is_subset(&after.void_contents));
        assert!(before.void_packs.is_subset(&after.void_packs));
        let mut expected = before.clone();
        expected.project = before.project.or(after.head_digest);
        (expected.head, expected.head_digest) = (after.head, after.head_digest);
        expected.void_contents.clone_from(&after.void_contents);
        expected.void_packs.clone_from(&after.void_packs);
        std::sync::Arc::make_mut(&mut expected.voids).insert(after.head);
        assert_same(after, &expected);
    }

    /// The files at a commit, written like changes.
    fn files_at(&self, seq: u64) -> String {
        let files = self.history.manifest_at(seq);
        let file = |(path, entry): (&&RelPath, &&Entry)| format!("{path}={}", letter(entry.sha256));
        files.iter().map(file).collect::<Vec<_>>().join(" ")
    }
}

#[track_caller]
fn assert_same(one: &History, other: &History) {
    let text = |history| String::from_utf8(checkpoint::to_bytes(history)).unwrap();
    assert_eq!(text(one), text(other));
    assert_eq!(one.names, other.names);
}

fn names_of(history: &History) -> Names {
    let mut names = Names::new();
    for path in history.manifest.keys() {
        names.insert(path).unwrap();
    }
    names
}

fn settings(name: &str, patterns: &[&str]) -> Settings {
    let include = patterns.iter().map(|glob| (*glob).to_owned()).collect();
    Settings::new(name, Patterns { include, exclude: Vec::new() })
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// The one-letter text that has this digest.
fn letter(digest: Digest) -> char {
    ('a'..='z').find(|letter| self::digest(&letter.to_string()) == digest).unwrap_or('?')
}

fn file(text: &str) -> Entry {
    Entry {
        kind: Kind::File,
        sha256: digest(text),
        size: text.len() as u64,
        exec: false,
        private: false,
        mtime: None,
        chunks: None,
    }
}

fn input(text: &str) -> Input {
    Input { sha256: digest(text), size: text.len() as u64, kind: Kind::File, chunks: None }
}

/// The chunks of a file whose pieces are these texts.
fn inline(texts: &[&str]) -> Vec<Chunk> {
    let chunk = |text: &&str| Chunk { sha256: digest(text), size: text.len() as u64 };
    texts.iter().map(chunk).collect()
}

/// A pack with these texts, stored one after another.
fn pack(name: u64, texts: &[&str]) -> Pack {
    let mut offset = 40;
    let contents = texts.iter().map(|text| {
        let size = text.len() as u64;
        let content = PackedContent {
            sha256: digest(text),
            offset,
            stored_size: size,
            size,
            method: Method::Stored,
        };
        offset += size;
        content
    });
    let contents = contents.collect();
    Pack {
        name: Ulid(u128::from(name)),
        sha256: digest(&name.to_string()),
        size: offset,
        header: None,
        contents,
    }
}
