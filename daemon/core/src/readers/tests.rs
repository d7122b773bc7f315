//! Sessions whose hosts, hooks and daemons are killed at any moment: each session hears
//! of each commit, and of none twice but what may have been lost on its way.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{RelPath, Timestamp};

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1_000)
}

fn event(kind: EventKind) -> Event {
    Event { kind, occasion: None, process: None, has_steps: true }
}

fn commits(first: u64, last: u64) -> Read {
    Read { commits: Spans::from(vec![(first, last)]), notices: Spans::default() }
}

/// A session that began at commit 1, was told of commit 2 at its prompt, and printed it.
fn told() -> Session {
    let mut session = Session::new(commits(1, 1), at(0));
    session.hears(&event(EventKind::Prompt), at(10));
    let id = session.hand_out(commits(2, 2), Vec::new(), &event(EventKind::Prompt), false, at(10));
    session.printed(id, at(10));
    session
}

/// What a session that was kept on the disk knows after a restart.
fn restarted(session: &Session) -> Session {
    serde_json::from_slice(&serde_json::to_vec(session).unwrap()).unwrap()
}

fn pending(session: &Session, head: u64) -> Vec<u64> {
    session.told().commits.missing_until(head).numbers().collect()
}

#[test]
fn what_was_printed_is_confirmed_by_what_proves_a_turn() {
    for kind in [EventKind::Prompt, EventKind::AfterTools, EventKind::Stop] {
        let mut session = told();
        assert!(!session.seen().commits.has(2));
        session.hears(&event(kind), at(20));
        assert!(session.seen().commits.has(2), "{kind:?}");
    }
    for kind in [EventKind::BeforeTool, EventKind::AfterTool, EventKind::Other] {
        let mut session = told();
        session.hears(&event(kind), at(20));
        assert!(!session.seen().commits.has(2), "{kind:?}");
        assert_eq!(pending(&session, 3), [3], "told all the same: {kind:?}");
    }
    let mut session = told();
    session.hears(&Event { has_steps: false, ..event(EventKind::AfterTool) }, at(20));
    assert!(session.seen().commits.has(2), "a host that tells of single tools alone");
}

#[test]
fn what_was_handed_out_and_not_printed_is_pending_again() {
    let prompt = event(EventKind::Prompt);
    let mut session = Session::new(commits(1, 1), at(0));
    let id = session.hand_out(commits(2, 2), Vec::new(), &prompt, false, at(0));
    session.hears(&event(EventKind::BeforeTool), at(0));
    assert_eq!(pending(&session, 2), Vec::<u64>::new(), "a hook has it in its hands");
    let mut after = restarted(&session);
    after.hears(&event(EventKind::BeforeTool), at(0));
    assert_eq!(pending(&after, 2), [2], "nobody knows of that hook any more");
    let mut hung = session.clone();
    hung.hears(&event(EventKind::BeforeTool), at(3));
    assert_eq!(pending(&hung, 2), [2], "a hook that hangs has printed nothing");
    session.give_back(id);
    assert_eq!(pending(&session, 2), [2]);
}

#[test]
fn host_that_starts_again_before_a_turn_ran_is_told_again() {
    let start = event(EventKind::Start);
    for kind in [EventKind::Start, EventKind::Compaction] {
        let mut session = Session::new(commits(1, 1), at(0));
        session.hears(&start, at(0));
        let id = session.hand_out(commits(2, 2), Vec::new(), &start, false, at(0));
        session.printed(id, at(0));
        session.hears(&start, at(1));
        assert_eq!(pending(&session, 2), Vec::<u64>::new(), "two hooks of one start");
        session.hears(&event(kind), at(60));
        assert_eq!(pending(&session, 2), [2], "{kind:?}");
    }
}

#[test]
fn two_hooks_of_one_prompt_are_one_occasion() {
    let prompt = Event { occasion: Some("prompt 7".into()), ..event(EventKind::Prompt) };
    let mut session = Session::new(commits(1, 1), at(0));
    session.hears(&prompt, at(0));
    let id = session.hand_out(commits(2, 2), Vec::new(), &prompt, false, at(0));
    session.printed(id, at(0));
    session.hears(&prompt, at(0));
    assert!(!session.seen().commits.has(2), "the second hook proves no turn");
    assert_eq!(pending(&session, 2), Vec::<u64>::new());
}

#[test]
fn wake_that_no_turn_follows_is_pending_again() {
    let bell = event(EventKind::Other);
    let mut session = Session::new(commits(1, 1), at(0));
    assert_eq!(session.may_wake(at(0)), MayWake::Now);
    let id = session.hand_out(commits(2, 2), Vec::new(), &bell, true, at(0));
    session.printed(id, at(0));
    assert_eq!(session.may_wake(at(30)), MayWake::AfterTurn);

    let mut lost = session.clone();
    lost.hears(&bell, at(61));
    assert_eq!(pending(&lost, 2), [2]);
    assert_eq!(lost.may_wake(at(61)), MayWake::Now);

    session.hears(&event(EventKind::Stop), at(300));
    assert!(session.seen().commits.has(2), "the turn took long");
}

#[test]
fn prompt_that_a_wake_begins_with_is_told_nothing_twice_and_proves_nothing() {
    let bell = event(EventKind::Other);
    let mut session = Session::new(commits(1, 1), at(0));
    let id = session.hand_out(commits(2, 2), Vec::new(), &bell, true, at(0));
    session.printed(id, at(0));
    session.hears(&event(EventKind::Prompt), at(1));
    assert_eq!(pending(&session, 2), Vec::<u64>::new());
    assert!(!session.seen().commits.has(2));

    let mut ran = session.clone();
    ran.hears(&event(EventKind::Stop), at(20));
    assert!(ran.seen().commits.has(2));
    // The turn came to nothing after all: a person types.
    session.hears(&event(EventKind::Prompt), at(70));
    assert_eq!(pending(&session, 2), [2]);
}

#[test]
fn nobody_is_woken_within_a_turn_or_more_often_than_agreed() {
    let bell = event(EventKind::Other);
    let mut session = Session::new(commits(1, 1), at(0));
    session.hears(&event(EventKind::Prompt), at(0));
    assert_eq!(session.may_wake(at(1)), MayWake::AfterTurn);
    session.hears(&event(EventKind::Stop), at(2));
    assert_eq!(session.may_wake(at(2)), MayWake::Now);
    let id = session.hand_out(commits(2, 2), Vec::new(), &bell, true, at(2));
    session.printed(id, at(2));
    session.hears(&event(EventKind::AfterTools), at(3));
    assert_eq!(session.may_wake(at(63)), MayWake::AfterTurn, "the wake began this turn");
    session.hears(&event(EventKind::Stop), at(10));
    assert_eq!(session.may_wake(at(10)), MayWake::At(at(62)));
    assert_eq!(restarted(&session).may_wake(at(10)), MayWake::At(at(62)));
    assert_eq!(session.may_wake(at(62)), MayWake::Now);
    session.hears(&event(EventKind::Prompt), at(70));
    assert_eq!(session.may_wake(at(10_000)), MayWake::Now, "its end was never heard of");
}

#[test]
fn fact_is_said_once_and_again_when_it_was_lost() {
    let fact = Fact::Behind { path: RelPath::new("a.md").unwrap(), seq: 2 };
    let tool = event(EventKind::BeforeTool);
    let mut session = Session::new(commits(1, 2), at(0));
    assert!(!session.has_said(&fact));
    let id = session.hand_out(Read::default(), vec![fact.clone()], &tool, false, at(0));
    session.give_back(id);
    assert!(!session.has_said(&fact));
    let id = session.hand_out(Read::default(), vec![fact.clone()], &tool, false, at(0));
    session.printed(id, at(0));
    session.hears(&event(EventKind::AfterTools), at(1));
    session.hears(&event(EventKind::Start), at(100));
    assert!(restarted(&session).has_said(&fact));
}

/// What happens in a story, and what goes wrong with it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Commits(u64),
    Event(Moment, Fault),
    DaemonRestarts,
    Minutes(i64),
}

#[derive(Clone, Copy, Debug)]
enum Moment {
    Start,
    Prompt,
    Tools,
    Stop,
    Bell,
    Tool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    NoDaemon,
    /// The hook dies with the answer; the daemon sees that, or dies too.
    HookDies,
    BothDie,
    /// The daemon never hears that it was printed.
    PrintedUnheard,
    /// No turn comes of a wake.
    HostLoses,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let moment = prop_oneof![
        Just(Moment::Start),
        Just(Moment::Prompt),
        Just(Moment::Tools),
        Just(Moment::Stop),
        Just(Moment::Bell),
        Just(Moment::Tool),
    ];
    let fault = prop_oneof![
        8 => Just(Fault::None),
        1 => Just(Fault::NoDaemon),
        1 => Just(Fault::HookDies),
        1 => Just(Fault::BothDie),
        1 => Just(Fault::PrintedUnheard),
        1 => Just(Fault::HostLoses),
    ];
    let step = prop_oneof![
        3 => (1_u64..4).prop_map(Step::Commits),
        6 => (moment, fault).prop_map(|(moment, fault)| Step::Event(moment, fault)),
        1 => Just(Step::DaemonRestarts),
        1 => (1_i64..90).prop_map(Step::Minutes),
    ];
    prop::collection::vec(step, 1..60)
}

/// A host with a model, beside the session that a daemon keeps of it.
struct Story {
    session: Session,
    head: u64,
    now: i64,
    is_in_turn: bool,
    process: u64,
    /// Printed, and in no request to the model yet.
    context: Vec<u64>,
    /// What the last wake told, as long as no turn has proved it.
    woken: Vec<u64>,
    seen: BTreeMap<u64, usize>,
    /// What may have been lost on its way, and may come twice.
    excused: BTreeSet<u64>,
}

impl Story {
    fn new() -> Self {
        let session = Session::new(commits(1, 1), at(0));
        let (context, woken) = (Vec::new(), Vec::new());
        let (seen, excused) = (BTreeMap::new(), BTreeSet::new());
        let (head, now, is_in_turn, process) = (1, 0, false, 1);
        Self { session, head, now, is_in_turn, process, context, woken, seen, excused }
    }

    fn takes(&mut self, step: Step) {
        self.now += 7;
        match step {
            Step::Commits(count) => self.head += count,
            Step::DaemonRestarts => self.session = restarted(&self.session),
            Step::Minutes(count) => self.now += count * 60,
            Step::Event(moment, fault) => self.lives(moment, fault),
        }
    }

    fn lives(&mut self, moment: Moment, fault: Fault) {
        // A wake that is lost, and then the prompt after it: nobody can tell what came
        // from that.
        let fault = match (moment, fault) {
            (Moment::Prompt, Fault::NoDaemon) if !self.woken.is_empty() => Fault::None,
            _ => fault,
        };
        match moment {
            Moment::Prompt => {
                // Somebody types within the turn that a wake began: nothing proves it.
                self.excused.extend(self.woken.drain(..));
                self.is_in_turn = true;
            }
            Moment::Tools | Moment::Tool if !self.is_in_turn => return,
            Moment::Stop if !std::mem::take(&mut self.is_in_turn) => return,
            Moment::Start => (self.is_in_turn, self.process) = (false, self.process + 1),
            Moment::Tools | Moment::Tool | Moment::Stop | Moment::Bell => {}
        }
        if let Moment::Start = moment {
            // The host was killed: what no turn has proved may have been in no request.
            let proved = &self.session.seen().commits;
            self.excused.extend(self.context.drain(..));
            self.excused.extend(proved.missing_until(self.head).numbers());
        }
        if let Moment::Stop | Moment::Tools = moment
            && fault != Fault::NoDaemon
        {
            self.woken.clear();
        }
        if let Moment::Stop = moment {
            // No turn ends before the model has answered what came within it.
            self.asks_model();
        }
        let kind = match moment {
            Moment::Start => EventKind::Start,
            Moment::Prompt => EventKind::Prompt,
            Moment::Tools => EventKind::AfterTools,
            Moment::Stop => EventKind::Stop,
            Moment::Bell => EventKind::Other,
            Moment::Tool => EventKind::BeforeTool,
        };
        let woken = fault != Fault::NoDaemon && self.hears(&self.event(kind), moment, fault);
        // One that comes within a turn stands in its next request.
        let woken = woken && !self.is_in_turn;
        if woken || matches!(moment, Moment::Prompt | Moment::Tools) {
            self.asks_model();
        }
        if woken {
            // The turn that it began comes to its end.
            self.woken.clear();
            let stop = self.event(EventKind::Stop);
            self.session.hears(&stop, at(self.now));
        }
    }

    /// What was printed before a request stands in it.
    fn asks_model(&mut self) {
        for seq in self.context.drain(..) {
            *self.seen.entry(seq).or_default() += 1;
        }
    }

    fn event(&self, kind: EventKind) -> Event {
        Event { process: Some(self.process), ..event(kind) }
    }

    /// Whether a wake reached the model.
    fn hears(&mut self, event: &Event, moment: Moment, fault: Fault) -> bool {
        let now = at(self.now);
        self.session.hears(event, now);
        let is_wake = matches!(moment, Moment::Bell);
        let tells = matches!(moment, Moment::Start | Moment::Prompt | Moment::Tools)
            || is_wake && self.session.may_wake(now) == MayWake::Now;
        let news = self.session.told().commits.missing_until(self.head);
        if !tells || news.is_empty() {
            return false;
        }
        let read = Read { commits: news.clone(), notices: Spans::default() };
        let id = self.session.hand_out(read, Vec::new(), event, is_wake, now);
        if is_wake {
            self.woken.extend(news.numbers());
        }
        // A turn that says nothing for so long that it counts as over may hear it again.
        if fault != Fault::None || is_wake && self.is_in_turn {
            self.excused.extend(news.numbers());
        }
        match fault {
            Fault::NoDaemon => unreachable!("nobody heard of it"),
            Fault::HookDies => self.session.give_back(id),
            Fault::BothDie => self.session = restarted(&self.session),
            Fault::PrintedUnheard => {
                self.context.extend(news.numbers());
                self.session = restarted(&self.session);
                return is_wake;
            }
            Fault::HostLoses if is_wake && !self.is_in_turn => {
                self.session.printed(id, now);
            }
            Fault::None | Fault::HostLoses => {
                self.context.extend(news.numbers());
                self.session.printed(id, now);
                return is_wake;
            }
        }
        false
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn each_commit_reaches_the_model_and_none_twice_but_what_may_be_lost(steps in steps()) {
        let mut story = Story::new();
        for step in steps {
            story.takes(step);
        }
        for moment in [Moment::Start, Moment::Prompt, Moment::Tools, Moment::Tools] {
            story.takes(Step::Event(moment, Fault::None));
        }
        for seq in 2..=story.head {
            let times = story.seen.get(&seq).copied().unwrap_or(0);
            prop_assert!(times >= 1, "#{seq} of {} never came: {:?}", story.head, story.session);
            prop_assert!(times == 1 || story.excused.contains(&seq), "#{seq} came {times} times");
        }
    }
}
