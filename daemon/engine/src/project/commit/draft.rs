//! What goes into a commit, and where its contents come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use mirror_core::commit::{Action, Change, Resolved, Settings};
use mirror_core::plan::Send;
use mirror_core::{Digest, Entry, Kind, State, Timestamp, Ulid};

use crate::api::Parts;
use crate::packs::{Item, Opener};
use crate::project::worker::Worker;
use crate::state::{LocalInput, TriedChange};

/// What a commit is to say, before it has a place in the log.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) action: Action,
    pub(crate) message: Option<String>,
    pub(crate) settings: Option<Settings>,
    pub(crate) outgoing: Vec<Outgoing>,
    pub(crate) resolved: Vec<Resolved>,
    /// Contents that the log has, and that are brought again all the same (P8).
    pub(crate) given: Vec<Item>,
    /// Contents that are not, or not only, in the working tree.
    pub(crate) held: BTreeMap<Digest, ContentSource>,
    /// The queued push that this sends (B8): the commit has its id.
    pub(crate) queued: Option<Ulid>,
    /// The files that it takes away and that count for the hour (B12).
    pub(crate) losses: usize,
    /// Somebody named each file that it takes away.
    pub(crate) is_named: bool,
}

impl Draft {
    pub(crate) fn of(action: Action, message: Option<String>) -> Self {
        Self {
            action,
            message,
            settings: None,
            outgoing: Vec::new(),
            resolved: Vec::new(),
            given: Vec::new(),
            held: BTreeMap::new(),
            queued: None,
            losses: 0,
            is_named: false,
        }
    }

    /// Whether any file is deleted by it, or emptied.
    pub(crate) fn takes_away(&self) -> bool {
        let empty = Digest::of(b"");
        let empties = |send: &Send| {
            let is_empty = send.to.is_some_and(|to| to.kind == Kind::File && to.digest == empty);
            is_empty && send.from.is_some_and(|from| from != empty)
        };
        self.outgoing.iter().any(|Outgoing { send, .. }| send.to.is_none() || empties(send))
    }
}

/// A content that is kept until it is in a pack.
#[derive(Clone, Debug)]
pub(crate) enum ContentSource {
    Bytes(Bytes),
    /// A file of the data folder.
    Stored(String),
}

/// One change on its way into a commit.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) send: Send,
    pub(crate) size: u64,
    pub(crate) mtime: Option<Timestamp>,
    pub(crate) private: bool,
    /// What this machine had at the path when the change was made from it;
    /// the base once the commit stands (B4). `None`: the base stays.
    pub(crate) input: Option<LocalInput>,
}

impl Outgoing {
    pub(crate) fn change(&self) -> Change {
        let entry = |state: State| Entry {
            kind: state.kind,
            sha256: state.digest,
            size: self.size,
            exec: state.exec,
            private: self.private,
            mtime: self.mtime,
            chunks: None,
        };
        Change {
            path: self.send.path.clone(),
            from: self.send.from,
            to: self.send.to.map(entry),
            renamed_from: self.send.renamed_from.clone(),
        }
    }

    pub(crate) fn as_tried(&self) -> TriedChange {
        let Send { path, to, .. } = &self.send;
        TriedChange { path: path.clone(), to: *to, input: self.input.clone() }
    }
}

impl Worker {
    /// A change that brings what stands in the working tree.
    pub(crate) fn outgoing(&self, send: Send) -> Outgoing {
        let stamp = self.index.get(&send.path).map(|indexed| indexed.stamp);
        // Deleted by name while it still stands here: removing it comes next,
        // and a crash before that leaves a deletion to be pulled.
        let stands = send.to.is_none() && stamp.is_some();
        let input = LocalInput { state: send.to, made_on: None };
        Outgoing {
            size: stamp.map_or(0, |stamp| stamp.size),
            mtime: stamp.map(|stamp| Timestamp(stamp.mtime_ns.div_euclid(1_000_000))),
            private: self.private_to_send(&send.path),
            input: (!stands).then_some(input),
            send,
        }
    }
}

/// Opens what a draft holds, and files of the working tree for the rest.
pub(crate) fn opener_for(parts: &Parts, held: BTreeMap<Digest, ContentSource>) -> Opener {
    let (tree, data) = (parts.tree.clone(), parts.data.clone());
    Arc::new(move |item: &Item| match held.get(&item.digest) {
        Some(ContentSource::Bytes(bytes)) => {
            Ok(Some(Box::new(std::io::Cursor::new(bytes.clone()))))
        }
        Some(ContentSource::Stored(name)) => Ok(data.open(name)?),
        None => Ok(tree.open(&item.path)?.map(|(_, reader)| reader)),
    })
}
