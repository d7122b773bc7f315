//! Who held which version when, to catch the overwriting of what nobody
//! looked at, though every byte of it may still be in history.
//!
//! - A commit may replace a version of somebody else's only if its machine
//!   held that very version after it had landed, or names it as merged.
//! - A daemon may replace a file of the working tree only if its machine
//!   agreed on that version: it sent it, fetched it, or found it at the head.

use std::collections::BTreeMap;

use mirror_core::commit::{Action, Change, Commit, Resolved};
use mirror_core::history::Applied;
use mirror_core::{Digest, Entry, History, RelPath, Ulid};

/// Who holds files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Holder {
    Machine(usize),
    View,
    Head,
}

type Version = Option<Digest>;

/// When each holder held which version of each path.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    now: u64,
    held: BTreeMap<(Holder, String), Vec<(u64, Version)>>,
    /// The last two versions that a machine agreed on; a queued push may take
    /// effect late.
    agreed: BTreeMap<(usize, String), [Option<Version>; 2]>,
    /// What a daemon last put in place itself, however many queued pushes of that
    /// path have taken effect since.
    put: BTreeMap<(usize, String), Version>,
    /// What daemons have put in place and not said so yet: whoever dies then may
    /// find it there and agree on it (B3).
    tried: BTreeMap<(usize, String), Vec<Version>>,
    history: History,
    landed: BTreeMap<u64, (u64, Ulid)>,
    inputs: BTreeMap<String, Vec<Digest>>,
    /// What a person put into the view by hand, and when: by where it stands now.
    by_hand: BTreeMap<String, (u64, Digest)>,
    /// The newest commit of each path that a machine has seen in the view.
    seen: BTreeMap<(usize, String), u64>,
    /// Machines that have queued a push.
    queues: Vec<Ulid>,
    forgetful: Vec<usize>,
    /// The service was set back: what it says no longer adds up.
    is_broken: bool,
    /// Machines that were at work just then: what they saw before may be gone.
    under_way: Vec<usize>,
}

/// The machine that a commit names as its author.
pub(crate) fn machine_of(id: Ulid) -> usize {
    usize::try_from(id.random()).unwrap_or(0).saturating_sub(1)
}

/// A version for people.
fn short(version: Version) -> String {
    version.map_or_else(|| "none".to_owned(), |digest| digest.to_string()[..8].to_owned())
}

impl Ledger {
    /// Notes what a holder holds from now on, and gives this moment.
    pub(crate) fn holds(&mut self, holder: Holder, path: &str, version: Version) -> u64 {
        self.now += 1;
        let held = self.held.entry((holder, path.to_owned())).or_default();
        if held.last().and_then(|(_, last)| *last) != version {
            held.push((self.now, version));
        }
        self.now
    }

    /// The disk has lost what came to these paths at these moments.
    pub(crate) fn never_held(&mut self, holder: Holder, moments: &[(String, u64)]) {
        for (path, moment) in moments {
            if let Some(held) = self.held.get_mut(&(holder, path.clone())) {
                held.retain(|(since, _)| since != moment);
            }
        }
    }

    /// A person put something into the view by hand.
    pub(crate) fn is_put_by_hand(&mut self, path: &str, version: Version) {
        self.now += 1;
        match version {
            Some(version) => drop(self.by_hand.insert(path.to_owned(), (self.now, version))),
            None => drop(self.by_hand.remove(path)),
        }
    }

    /// What a person put there was moved aside.
    pub(crate) fn is_moved(&mut self, from: &str, to: &str) {
        if let Some(mark) = self.by_hand.remove(from) {
            self.by_hand.insert(to.to_owned(), mark);
        }
    }

    /// A machine read or wrote a version of a path in the view.
    pub(crate) fn sees(&mut self, machine: usize, path: &str, version: Digest) {
        let newest = self.newest(path, version);
        if let Some(newest) = newest {
            let seen = self.seen.entry((machine, path.to_owned())).or_default();
            *seen = newest.max(*seen);
        }
    }

    /// A machine took a file out of the view, or found it gone. Its record goes with
    /// the file: what comes to stand there next may be a late write that found the
    /// place empty, of any version that the log knows (V4).
    pub(crate) fn misses_in_view(&mut self, machine: usize, path: &str) {
        self.seen.remove(&(machine, path.to_owned()));
    }

    /// A machine's memory of the view is gone, or older than it was.
    pub(crate) fn unsees(&mut self, machine: usize) {
        self.seen.retain(|(other, _), _| *other != machine);
    }

    /// The newest commit that gave a path this version.
    fn newest(&self, path: &str, version: Digest) -> Option<u64> {
        let placed = self.history.manifest().iter().find(|(known, _)| known.as_str() == path);
        let placed = placed.filter(|(_, placed)| placed.entry.sha256 == version);
        let past = self.history.past().iter().rev();
        let mut past = past.filter(|past| past.path.as_str() == path);
        let past = past.find(|past| past.entry.sha256 == version).map(|past| past.since);
        placed.map(|(_, placed)| placed.seq).or(past)
    }

    /// A machine drops what stands at a place of the service; says whether that
    /// was a person's edit that the log doesn't have (V2 to V5).
    pub(crate) fn drops(&mut self, machine: usize, place: &str, held: &[Digest]) -> bool {
        let Some((since, version)) = self.by_hand.remove(place) else { return false };
        let (path, is_aside) = match place.strip_prefix("_mirror/aside/") {
            Some(rest) => (rest.splitn(3, '/').nth(2).unwrap_or_default(), true),
            None => (place, false),
        };
        let kept = self.held_since(Holder::Head, path, Some(version), since)
            || self.inputs.get(path).is_some_and(|inputs| inputs.contains(&version))
            || held.contains(&version);
        // An older version is a revert only for who saw a newer one, and only
        // where revisions are compared.
        let seen = self.seen.get(&(machine, path.to_owned())).copied().unwrap_or(0);
        let is_late = self.newest(path, version).is_some_and(|since| is_aside || seen <= since);
        let is_empty = version == Digest::of(b"");
        !self.is_broken && !kept && !is_late && !is_empty
    }

    /// A machine lost its state: it may undo what it has forgotten (B5).
    pub(crate) fn forgets(&mut self, machine: usize) {
        self.unsees(machine);
        self.forgetful.push(machine);
    }

    /// A machine has queued a push.
    pub(crate) fn queues(&mut self, machine: Ulid) {
        self.queues.push(machine);
    }

    pub(crate) fn has_forgotten(&self, machine: usize) -> bool {
        self.forgetful.contains(&machine)
    }

    pub(crate) fn has_any_forgotten(&self) -> bool {
        !self.forgetful.is_empty()
    }

    /// The service was set back while these machines were at work.
    pub(crate) fn breaks(&mut self, under_way: Vec<usize>) {
        (self.is_broken, self.under_way) = (true, under_way);
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// A machine begins something, and looks for itself.
    pub(crate) fn begins(&mut self, machine: usize) {
        self.under_way.retain(|other| *other != machine);
    }

    /// Whether a holder ever held a version.
    pub(crate) fn has_held(&self, holder: Holder, path: &str, version: Digest) -> bool {
        self.held_since(holder, path, Some(version), 0)
    }

    /// Whether a holder held a version at any time from `since` on.
    fn held_since(&self, holder: Holder, path: &str, version: Version, since: u64) -> bool {
        let Some(held) = self.held.get(&(holder, path.to_owned())) else {
            return version.is_none();
        };
        let ends = held.iter().skip(1).map(|(from, _)| *from).chain([u64::MAX]);
        held.iter().zip(ends).any(|((_, one), until)| *one == version && until > since)
    }

    /// Takes in the entry that has just been created, and says what it
    /// overwrites blindly.
    pub(crate) fn lands(&mut self, seq: u64, bytes: &[u8], before: Version) -> Vec<String> {
        if self.is_broken {
            return self.lands_after_break(seq, bytes, before);
        }
        self.now += 1;
        let commit = match Commit::parse(bytes) {
            Ok(commit) if seq == self.history.head() + 1 => commit,
            Ok(_) => {
                return vec![format!(
                    "#{seq} was created, but #{} is next",
                    self.history.head() + 1
                )];
            }
            Err(error) => return vec![format!("#{seq} is no commit: {error}")],
        };
        let blind = commit.changes.iter().filter(|change| self.is_blind(&commit, &change.path));
        let blind: Vec<String> = blind
            .map(|change| {
                let machine = machine_of(commit.machine_id);
                let (action, path) = (commit.action.word(), &change.path);
                let to = change.to.as_ref().map(|entry| entry.sha256);
                let (from, to) = (short(change.from), short(to));
                format!("#{seq} of machine {machine} overwrites {path} blindly by {action}: {from} to {to}")
            })
            .collect();
        let again = commit
            .resolved
            .iter()
            .filter(|resolved| commit.action == Action::External && self.is_merged_again(resolved));
        let again = again.map(|resolved| format!("#{seq} imports {} once more", resolved.path));
        let again: Vec<String> = again.collect();
        let is_vain = |change: &&Change| {
            let placed = self.history.manifest().get(&change.path);
            placed.map(|placed| placed.entry.state()) == change.to.as_ref().map(Entry::state)
        };
        let vain = commit.changes.iter().filter(is_vain);
        let vain = vain.map(|change| format!("#{seq} makes {} what it is", change.path));
        let blind = blind.into_iter().chain(vain).chain(again).collect::<Vec<_>>();
        let applied = self.history.apply(seq, Digest::of(bytes), Ok(&commit));
        if let Applied::Void(why) = applied {
            return vec![format!("#{seq} is void: {why}")];
        }
        self.landed.insert(seq, (self.now, commit.machine_id));
        for change in &commit.changes {
            let to = change.to.as_ref().map(|entry| entry.sha256);
            self.holds(Holder::Head, change.path.as_str(), to);
            if commit.action != Action::External {
                self.agrees(machine_of(commit.machine_id), change.path.as_str(), to);
            }
        }
        for resolved in &commit.resolved {
            let inputs = self.inputs.entry(resolved.path.as_str().to_owned()).or_default();
            inputs.extend(resolved.inputs.iter().map(|input| input.sha256));
        }
        blind
    }

    /// Whether an edit by hand went into a merge before (M2).
    fn is_merged_again(&self, resolved: &Resolved) -> bool {
        let path = resolved.path.as_str();
        let merged = self.inputs.get(path).map_or(&[][..], Vec::as_slice);
        let is_known = |digest| merged.contains(&digest) || self.newest(path, digest).is_some();
        let inputs = || resolved.inputs.iter().map(|input| input.sha256);
        let only_merged = |digest| merged.contains(&digest) && self.newest(path, digest).is_none();
        inputs().all(is_known) && inputs().any(only_merged)
    }

    /// After the service was set back only those may append who have looked
    /// since (L3).
    fn lands_after_break(&self, seq: u64, bytes: &[u8], before: Version) -> Vec<String> {
        let Ok(commit) = Commit::parse(bytes) else { return vec![format!("#{seq} is no commit")] };
        let machine = machine_of(commit.machine_id);
        let looked = !self.under_way.contains(&machine);
        let follows = commit.parent.is_some() && commit.parent == before;
        let fork = || format!("#{seq} of machine {machine} follows what the service has lost");
        (looked && !follows).then(fork).into_iter().collect()
    }

    fn is_blind(&self, commit: &Commit, path: &RelPath) -> bool {
        let Some(placed) = self.history.manifest().get(path) else { return false };
        if commit.resolved.iter().any(|resolved| resolved.path == *path) {
            return false;
        }
        let Some((since, author)) = self.landed.get(&placed.seq) else { return false };
        let version = Some(placed.entry.sha256);
        let machine = Holder::Machine(machine_of(commit.machine_id));
        let saw = |holder, since| self.held_since(holder, path.as_str(), version, since);
        // What a person wrote over a version is news on top of it whenever it
        // was there: content that came back is merged like content that stayed.
        let imports = matches!(commit.action, Action::External | Action::Import);
        // Its own version it may have written over before that landed (B4), and
        // one that it spooled before it was written over here (B8).
        let may_be_old = *author == commit.machine_id || self.queues.contains(&commit.machine_id);
        let since = if may_be_old { 0 } else { *since };
        !(saw(machine, since) || imports && saw(Holder::View, 0))
    }

    /// Whether the log has had this version of a path: who never agreed on any
    /// takes it for being behind (B5).
    fn was_there(&self, path: &str, version: Digest) -> bool {
        let mut past = self.history.past().iter();
        past.any(|past| past.path.as_str() == path && past.entry.sha256 == version)
    }

    /// A daemon put a file where there was none.
    pub(crate) fn comes(&mut self, machine: usize, path: &str, new: Version) -> bool {
        self.tried.remove(&(machine, path.to_owned()));
        self.puts(machine, path, new);
        false
    }

    fn puts(&mut self, machine: usize, path: &str, version: Version) {
        self.agrees(machine, path, version);
        self.put.insert((machine, path.to_owned()), version);
    }

    /// A daemon has exchanged what stood there for a version, and has yet to look
    /// at what came out.
    pub(crate) fn tries(&mut self, machine: usize, path: &str, version: Version) {
        self.tried.entry((machine, path.to_owned())).or_default().push(version);
    }

    /// It has put back what came out, and agrees on what it agreed on before: as
    /// often as that happens, that version is no edit.
    pub(crate) fn takes_back(&mut self, machine: usize, path: &str) {
        if let Some(tried) = self.tried.get_mut(&(machine, path.to_owned())) {
            tried.pop();
        }
    }

    fn agrees(&mut self, machine: usize, path: &str, version: Version) {
        let agreed = self.agreed.entry((machine, path.to_owned())).or_default();
        if agreed[0] != Some(version) {
            *agreed = [Some(version), agreed[0]];
        }
    }

    /// A daemon has replaced or removed what stood in its tree; says
    /// whether that was an edit which nobody has seen.
    pub(crate) fn replaces(
        &mut self,
        machine: usize,
        path: &str,
        old: Digest,
        new: Version,
    ) -> bool {
        let holder = Holder::Machine(machine);
        let key = (machine, path.to_owned());
        let held = self.held.get(&(holder, path.to_owned())).map_or(&[][..], Vec::as_slice);
        let came = held.iter().find(|(_, version)| *version == Some(old));
        let since = came.map_or(0, |(since, _)| *since);
        let tried = self.tried.remove(&key).unwrap_or_default();
        let known = self.is_broken
            || self.forgetful.contains(&machine)
            || old == Digest::of(b"")
            || tried.contains(&Some(old))
            || self.put.get(&key) == Some(&Some(old))
            || self
                .agreed
                .get(&key)
                .map_or(self.was_there(path, old), |agreed| agreed.contains(&Some(Some(old))))
            || self.held_since(Holder::Head, path, Some(old), since)
            || self.inputs.get(path).is_some_and(|inputs| inputs.contains(&old));
        self.puts(machine, path, new);
        !known
    }
}
