//! The service itself: it does what it is asked, keeps the ledger of what
//! that meant, and may lose its newest entries.

use bytes::Bytes;
use mirror_core::Digest;
use mirror_core::commit::entry_name;
use mirror_storage::{Expect, Guarded, RemoteFile, RemotePath};

use crate::ledger::Holder;
use crate::op::{Answer, Op, Reply};
use crate::plants::Fake;
use crate::world::World;

impl World {
    /// Lets the service do what a machine asked, and watches the log (L2).
    pub(crate) fn serve(&self, machine: usize, op: &Op) -> Reply {
        let stood = op.changes() && is_log(op.path()) && self.stands(op.path());
        let op = &self.less_careful(op);
        let reply = op.carry_out(&self.files);
        let changed = has_changed(&reply);
        self.note(format_args!(
            "machine {machine} {} {}: {}",
            op.verb(),
            op.path(),
            outcome(&reply)
        ));
        if changed && op.changes() {
            self.watches_by_hand(machine, op);
            self.takes_note(op);
            if let Op::Remove(path, _) = op {
                self.ledger().misses_in_view(machine, path.as_str());
            }
            if is_log(op.path()) || !op.path().is_ours() {
                self.count_effect();
            }
            if stood {
                self.finds(format!("L2: {} was {}d", op.path(), op.verb()));
            }
        }
        if let (Op::Stat(path), Ok(Answer::Stat(None))) = (op, &reply) {
            self.ledger().misses_in_view(machine, path.as_str());
        }
        reply
    }

    /// Follows what people put into the view by hand until the log has it.
    fn watches_by_hand(&self, machine: usize, op: &Op) {
        let place = op.path().as_str();
        let dropped = match op {
            Op::Rename(from, to) => {
                self.ledger().is_moved(from.as_str(), to.as_str());
                false
            }
            Op::Write(..) | Op::Remove(..) => {
                let held = self.data_of(machine);
                self.ledger().drops(machine, place, &held)
            }
            Op::Stat(_) | Op::List(_) | Op::Read(..) => false,
        };
        // A beginning of what is noted as being written can't be told from it.
        if dropped && !self.is_noted(op.path()) {
            self.finds(format!("machine {machine} drops an edit by hand: {place}"));
        }
    }

    /// Whether some machine says that it is writing this file of the view.
    fn is_noted(&self, path: &RemotePath) -> bool {
        let folder = RemotePath::new("_mirror/machines").expect("our own names are allowed");
        let Ok(Answer::List(files)) = Op::List(folder).carry_out(&self.files) else { return false };
        let says = |file: &RemoteFile| {
            content(self, &file.path)
                .is_some_and(|bytes| String::from_utf8_lossy(&bytes).contains(path.name()))
        };
        self.setup.torn && files.iter().any(says)
    }

    fn less_careful(&self, op: &Op) -> Op {
        match op {
            Op::Write(path, body, _) if is_log(path) && !self.setup.keeps(Fake::L1) => {
                Op::Write(path.clone(), body.clone(), Expect::Anything)
            }
            other => other.clone(),
        }
    }

    /// Keeps the ledger of the view and the log.
    pub(crate) fn takes_note(&self, op: &Op) {
        match op {
            Op::Write(path, bytes, _) if is_log(path) => {
                let seq: u64 = path.name().trim_end_matches(".json").parse().unwrap_or(0);
                let before = entry_path(seq.saturating_sub(1));
                let before = content(self, &before).map(|bytes| Digest::of(&bytes));
                let found = self.ledger().lands(seq, bytes, before);
                for words in found {
                    self.finds(words);
                }
            }
            Op::Write(path, bytes, _) if !path.is_ours() => {
                self.ledger().holds(Holder::View, path.as_str(), Some(Digest::of(bytes)));
            }
            Op::Remove(path, _) | Op::Rename(path, _) if !path.is_ours() => {
                self.ledger().holds(Holder::View, path.as_str(), None);
            }
            _ => {}
        }
    }

    pub(crate) fn stands(&self, path: &RemotePath) -> bool {
        let reply = Op::Stat(path.clone()).carry_out(&self.files);
        matches!(reply, Ok(Answer::Stat(Some(_))))
    }

    /// Something removes an entry of the log behind everybody's back.
    pub(crate) fn remove_entry(&self) {
        let head = self.head();
        let seq = head - self.chance(|chance| chance.below(2)) as u64;
        if seq > 1 {
            self.remove_entries(seq, seq);
        }
    }

    /// The service loses its newest entries, as when it is restored.
    pub(crate) fn set_back(&self, under_way: Vec<usize>) {
        let head = self.head();
        let lost = 1 + self.chance(|chance| chance.below(2)) as u64;
        if head > lost {
            self.remove_entries(head - lost + 1, head);
            self.orphans().clear();
            self.ledger().breaks(under_way);
        }
    }

    fn remove_entries(&self, from: u64, to: u64) {
        for seq in from..=to {
            let op = Op::Remove(entry_path(seq), Expect::Anything);
            drop(op.carry_out(&self.files));
        }
        self.note(format_args!("the service loses #{from} to #{to}"));
    }

    fn head(&self) -> u64 {
        (1..u64::MAX).find(|seq| !self.stands(&entry_path(seq + 1))).unwrap_or(0)
    }
}

fn has_changed(reply: &Reply) -> bool {
    matches!(reply, Ok(Answer::Written(Guarded::Done(_)) | Answer::Done(Guarded::Done(()))))
}

pub(crate) fn entry_path(seq: u64) -> RemotePath {
    RemotePath::new(format!("_mirror/{}", entry_name(seq))).expect("our own names are allowed")
}

pub(crate) fn is_log(path: &RemotePath) -> bool {
    path.as_str().starts_with("_mirror/log/")
}

fn outcome(reply: &Reply) -> String {
    match reply {
        Err(error) => error.to_string(),
        Ok(Answer::Stat(None) | Answer::Read(None)) => "nothing".to_owned(),
        Ok(Answer::Stat(Some(file))) => format!("{} bytes", file.size),
        Ok(Answer::Read(Some((bytes, _)))) => {
            format!("{} bytes, {}", bytes.len(), &Digest::of(bytes).to_string()[..8])
        }
        Ok(Answer::List(files)) => format!("{} files", files.len()),
        Ok(Answer::Written(Guarded::Done(_)) | Answer::Done(Guarded::Done(()))) => {
            "done".to_owned()
        }
        Ok(Answer::Written(Guarded::Refused) | Answer::Done(Guarded::Refused)) => {
            "refused".to_owned()
        }
    }
}

/// What stands at a path of the service.
pub(crate) fn content(world: &World, path: &RemotePath) -> Option<Bytes> {
    match Op::Read(path.clone(), mirror_storage::ByteRange::ALL).carry_out(&world.files) {
        Ok(Answer::Read(Some((bytes, _)))) => Some(bytes),
        _ => None,
    }
}
