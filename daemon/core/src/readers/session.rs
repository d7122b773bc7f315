//! One session of an agent: what it was told, and what its model has seen (S7).
//!
//! What is told goes through four states: pending, handed out, printed, confirmed. What
//! was handed out and not printed is pending again, and so is what was printed for a
//! turn that never ran. Plain values: whoever keeps a session stores it before anything
//! of it is handed out.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::wakes::Wakes;
use super::{Read, Spans};
use crate::{RelPath, Timestamp};

/// A wake that no turn followed within this time has reached nobody.
const WAKE_MS: i64 = 60_000;

/// A host that begins a turn for a wake tells of it as of a prompt, within this time: that
/// prompt is no person's, and the text stands before the model already.
const WOKEN_MS: i64 = 3_000;

/// A hook ends long before; one that hangs has printed nothing.
const FLIGHT_MS: i64 = 2_000;

/// Two starts within this time are one that two hooks were called for.
const START_MS: i64 = 5_000;

/// A turn of which so long nothing was heard has ended unheard.
const TURN_MS: i64 = 600_000;

/// So many facts that were said are remembered.
const MOST_SAID: usize = 2_000;

/// What happens in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Start,
    /// The context was made shorter within a turn, or between two.
    Compaction,
    Prompt,
    BeforeTool,
    AfterTool,
    /// After all tools that the model asked for at once.
    AfterTools,
    Stop,
    End,
    /// A folder or a file outside of the model's turn.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub kind: EventKind,
    /// Names this very event where the host does: two hooks may be called for it.
    pub occasion: Option<String>,
    /// The host's process, where it says so: one that was started again has lost what
    /// no turn had used.
    pub process: Option<u64>,
    /// Whether the host tells when all tools of a step are done.
    pub has_steps: bool,
}

/// Something that is said once, and is no commit and no notice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The path waits for a person since then.
    Conflict { path: RelPath, since: Timestamp },
    /// The commit's version of the path is not in the tree.
    Behind { path: RelPath, seq: u64 },
    /// A write took lines away that the commit brought.
    Replaced { path: RelPath, seq: u64 },
}

/// What is handed out in one go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Batch {
    id: u64,
    read: Read,
    facts: Vec<Fact>,
    occasion: Option<String>,
    process: Option<u64>,
    is_wake: bool,
    at: Timestamp,
    is_printed: bool,
    /// A hook has it now. Nobody knows that of one after a restart.
    #[serde(skip)]
    is_in_flight: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Turn {
    #[default]
    None,
    Runs(Timestamp),
    /// A wake began it.
    Woken(Timestamp),
}

/// Whether a session may be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayWake {
    Now,
    At(Timestamp),
    /// A turn runs, which hears of it anyway; or a wake began it.
    AfterTurn,
}

/// What one session was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What the model has seen, and what was before its time.
    seen: Read,
    /// Commits that were before its time.
    before: Spans,
    said: BTreeSet<Fact>,
    batches: Vec<Batch>,
    next_id: u64,
    turn: Turn,
    wakes: Wakes,
    started: Option<Timestamp>,
    heard: Timestamp,
    has_ended: bool,
}

impl Session {
    /// One that has dealt with so much when it begins.
    #[must_use]
    pub fn new(read: Read, now: Timestamp) -> Self {
        Self {
            before: read.commits.clone(),
            seen: read,
            said: BTreeSet::new(),
            batches: Vec::new(),
            next_id: 1,
            turn: Turn::None,
            wakes: Wakes::default(),
            started: None,
            heard: now,
            has_ended: false,
        }
    }

    /// What the model is known to have seen.
    pub fn seen(&self) -> &Read {
        &self.seen
    }

    /// When something was heard of it last.
    pub fn heard(&self) -> Timestamp {
        self.heard
    }

    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whether the same is handed out, and not confirmed, as in another moment.
    #[must_use]
    pub fn waits_as(&self, other: &Self) -> bool {
        self.batches == other.batches && self.has_ended == other.has_ended
    }

    /// Whether a turn runs, as far as it was heard of.
    pub fn is_in_turn(&self, now: Timestamp) -> bool {
        self.may_wake(now) == MayWake::AfterTurn
    }

    /// Whether the commit was there when the session began, and dealt with.
    pub fn was_before(&self, seq: u64) -> bool {
        self.before.has(seq)
    }

    /// All that is told or under way: the rest is pending.
    #[must_use]
    pub fn told(&self) -> Read {
        let mut told = self.seen.clone();
        self.batches.iter().for_each(|batch| told.add(&batch.read));
        told
    }

    pub fn has_said(&self, fact: &Fact) -> bool {
        self.said.contains(fact) || self.batches.iter().any(|batch| batch.facts.contains(fact))
    }

    /// Takes in that something happened: what it proves, and what it takes back.
    pub fn hears(&mut self, event: &Event, now: Timestamp) {
        self.heard = now;
        self.has_ended = event.kind == EventKind::End;
        self.take_back(event, now);
        if proves_a_turn(event) {
            self.confirm(event);
        }
        self.follow_turn(event.kind, now);
    }

    /// What did not reach the model is pending again.
    fn take_back(&mut self, event: &Event, now: Timestamp) {
        let is_new = event.kind == EventKind::Compaction
            || event.kind == EventKind::Start
                && self.started.is_none_or(|at| since(at, now) > START_MS);
        let ends_a_turn = matches!(event.kind, EventKind::Stop | EventKind::AfterTools);
        let wakes = self.count_wakes();
        self.batches.retain(|batch| match batch {
            Batch { is_printed: false, .. } => {
                batch.is_in_flight && since(batch.at, now) <= FLIGHT_MS
            }
            _ if is_new => false,
            _ if is_of_another(batch.process, event.process) => false,
            // A person's prompt proves no turn before it, and the turn that a wake began
            // may have taken long.
            Batch { is_wake: true, .. } => {
                let longest = if event.kind == EventKind::Prompt { WOKEN_MS } else { WAKE_MS };
                ends_a_turn || since(batch.at, now) <= longest
            }
            _ => true,
        });
        if event.kind == EventKind::Start && is_new {
            self.started = Some(now);
        }
        if self.count_wakes() < wakes {
            // No turn came of it.
            self.turn = Turn::None;
        }
    }

    fn count_wakes(&self) -> usize {
        self.batches.iter().filter(|batch| batch.is_wake).count()
    }

    fn confirm(&mut self, event: &Event) {
        let is_this = |batch: &Batch| event.occasion.is_some() && batch.occasion == event.occasion;
        // The prompt that a wake begins with says that it began, not that a turn ran.
        let proves = |batch: &Batch| !batch.is_wake || event.kind != EventKind::Prompt;
        let (seen, rest) = self
            .batches
            .drain(..)
            .partition(|batch| batch.is_printed && !is_this(batch) && proves(batch));
        self.batches = rest;
        for batch in seen {
            self.seen.add(&batch.read);
            self.said.extend(batch.facts);
        }
        while self.said.len() > MOST_SAID {
            self.said.pop_first();
        }
    }

    fn follow_turn(&mut self, kind: EventKind, now: Timestamp) {
        self.turn = match (kind, self.turn) {
            (EventKind::Prompt, _) => Turn::Runs(now),
            (
                EventKind::BeforeTool | EventKind::AfterTool | EventKind::AfterTools,
                Turn::Woken(_),
            ) => Turn::Woken(now),
            (EventKind::BeforeTool | EventKind::AfterTool | EventKind::AfterTools, _) => {
                Turn::Runs(now)
            }
            (EventKind::Start | EventKind::Stop | EventKind::End, _) => Turn::None,
            (EventKind::Compaction | EventKind::Other, turn) => turn,
        };
    }

    pub fn may_wake(&self, now: Timestamp) -> MayWake {
        let is_waking = self.count_wakes() > 0;
        match self.turn {
            Turn::Runs(at) if since(at, now) <= TURN_MS => MayWake::AfterTurn,
            // One that reached nobody began no turn.
            Turn::Woken(at) if is_waking && since(at, now) <= WAKE_MS => MayWake::AfterTurn,
            Turn::Woken(at) if !is_waking && since(at, now) <= TURN_MS => MayWake::AfterTurn,
            _ => match self.wakes.next_at(now) {
                at if at <= now => MayWake::Now,
                at => MayWake::At(at),
            },
        }
    }

    /// Hands something out; gives the number by which its fate is told. What does not
    /// fit is left to a later one.
    pub fn hand_out(
        &mut self,
        read: Read,
        facts: Vec<Fact>,
        event: &Event,
        is_wake: bool,
        now: Timestamp,
    ) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        if is_wake {
            self.wakes.add(now);
            self.turn = Turn::Woken(now);
        }
        self.batches.push(Batch {
            id,
            read,
            facts,
            occasion: event.occasion.clone(),
            process: event.process,
            is_wake,
            at: now,
            is_printed: false,
            is_in_flight: true,
        });
        id
    }

    /// What has nothing in it for a model is dealt with at once.
    pub fn pass_over(&mut self, read: &Read) {
        self.seen.add(read);
    }

    /// The host has it.
    pub fn printed(&mut self, id: u64, now: Timestamp) {
        for batch in self.batches.iter_mut().filter(|batch| batch.id == id) {
            (batch.is_printed, batch.is_in_flight, batch.at) = (true, false, now);
        }
    }

    /// The hook ended without printing it.
    pub fn give_back(&mut self, id: u64) {
        let wakes = self.count_wakes();
        self.batches.retain(|batch| batch.id != id || batch.is_printed);
        if self.count_wakes() < wakes {
            self.turn = Turn::None;
        }
    }
}

/// Whether the model has been asked since whatever was printed before.
fn proves_a_turn(event: &Event) -> bool {
    match event.kind {
        EventKind::Prompt | EventKind::AfterTools | EventKind::Stop => true,
        EventKind::AfterTool => !event.has_steps,
        EventKind::Start
        | EventKind::Compaction
        | EventKind::BeforeTool
        | EventKind::End
        | EventKind::Other => false,
    }
}

fn is_of_another(process: Option<u64>, now: Option<u64>) -> bool {
    process.zip(now).is_some_and(|(process, now)| process != now)
}

/// A clock that was set back says that no time has passed.
fn since(at: Timestamp, now: Timestamp) -> i64 {
    now.milliseconds().saturating_sub(at.milliseconds())
}
