//! A reply lost, or a call failed, at every call of a job.

use super::faulty::Fault;
use super::*;

/// More calls than any of these jobs makes.
const MOST_CALLS: usize = 100;

/// A story in which one job of the desktop meets one failing call.
struct Story {
    world: World,
    laptop: Machine,
    desktop: Machine,
}

impl Story {
    /// Both machines have agreed on three files; both have changes since.
    async fn new(profile: MemoryProfile) -> Self {
        let world = World::on(profile).await;
        let laptop = world.machine("laptop").await;
        let desktop = world.machine("desktop").await;
        for name in ["edited.md", "deleted.md", "pulled.md"] {
            laptop.writes(name, "old");
        }
        converge(&laptop, &desktop).await;
        laptop.writes("pulled.md", "new");
        laptop.writes("fetched.md", "new");
        laptop.pushes().await;
        desktop.writes("edited.md", "new");
        desktop.writes("notes/sent.md", "new");
        desktop.removes("deleted.md");
        Self { world, laptop, desktop }
    }

    /// Nothing is lost and nothing was said twice.
    async fn check(&self, case: &str) {
        converge(&self.desktop, &self.laptop).await;
        let files = self.laptop.files();
        let names: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["edited.md", "fetched.md", "notes/sent.md", "pulled.md"], "{case}");
        assert!(files.values().all(|content| content == b"new"), "{case}");
        for path in ["edited.md", "notes/sent.md", "deleted.md", "pulled.md"] {
            let times = self.world.times_committed(path);
            assert!(times.values().all(|times| *times == 1), "{case}: {path} {times:?}");
        }
        let settings =
            (1..=self.world.head()).filter(|seq| self.world.commit(*seq).settings.is_some());
        assert!(settings.count() <= 2, "{case}");
        // The daemon's own rounds bring the view in step.
        for _ in 0..2 {
            self.world.advance(Duration::from_hours(1));
            self.desktop.project().poll().await.unwrap();
            self.laptop.project().poll().await.unwrap();
        }
        let in_view: BTreeMap<_, _> = self
            .world
            .names("")
            .into_iter()
            .map(|name| (name.clone(), self.world.content(&name).unwrap().to_vec()))
            .collect();
        assert_eq!(in_view, files, "{case}");
    }
}

/// Fails each call of the job in turn, until the job passes untouched.
async fn check_every_call(profile: MemoryProfile, fault: Fault, job: fn() -> Job) {
    for number in 0..MOST_CALLS {
        let story = Story::new(profile).await;
        story.desktop.backend.begin_story(Some((number, fault)));
        let outcome = story.desktop.runs(job()).await;
        let has_failed = story.desktop.backend.has_failed();
        story.desktop.backend.begin_story(None);
        let case = format!("{fault:?} at call {number}: {outcome:?}");
        story.desktop.runs(job()).await.unwrap_or_else(|error| panic!("{case}: {error}"));
        story.check(&case).await;
        if !has_failed {
            assert!(number > 3, "the job makes calls");
            return;
        }
    }
    panic!("the job never ran untouched");
}

fn pull() -> Job {
    Job::Pull { scope: Scope::default() }
}

fn sync() -> Job {
    Job::Sync { scope: Scope::default(), message: None, settle: Settle::Wait }
}

#[tokio::test]
async fn push_that_fails_before_any_call_is_made_good() {
    check_every_call(MemoryProfile::SWAP, Fault::Before, || push_of(&[])).await;
}

#[tokio::test]
async fn push_that_loses_any_reply_is_made_good() {
    check_every_call(MemoryProfile::SWAP, Fault::After, || push_of(&[])).await;
    check_every_call(MemoryProfile::RENAME, Fault::After, || push_of(&[])).await;
}

#[tokio::test]
async fn pull_that_meets_any_failing_call_is_made_good() {
    check_every_call(MemoryProfile::SWAP, Fault::Before, pull).await;
    check_every_call(MemoryProfile::SWAP, Fault::After, pull).await;
}

#[tokio::test]
async fn sync_that_meets_any_failing_call_is_made_good() {
    check_every_call(MemoryProfile::RENAME, Fault::Before, sync).await;
    check_every_call(MemoryProfile::SWAP, Fault::After, sync).await;
}

#[tokio::test]
async fn settings_changed_at_any_failing_call_are_changed_once() {
    let change = || Job::ChangeSettings { settings: settings(&["**/*.md", "more/**"]) };
    check_every_call(MemoryProfile::SWAP, Fault::Before, change).await;
    check_every_call(MemoryProfile::SWAP, Fault::After, change).await;
}

/// Whether a call creates the entry at `seq`.
pub(super) fn creates(seq: u64) -> impl Fn(&str, &str) -> bool + Send + 'static {
    move |verb, path| verb == "write" && path == entry_path(seq)
}

#[tokio::test]
async fn attempt_that_never_arrived_is_sent_again_with_the_same_bytes() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.backend.refuse(creates(2));
    assert!(laptop.pushes().await.queued);
    assert_eq!(world.head(), 1);
    // What is tried again is what was tried, whatever has been saved since.
    laptop.writes("a.md", "bread");
    laptop.backend.plug_in();
    laptop.open().await.unwrap();

    laptop.pushes().await;

    let attempt = world.commit(2);
    let content = |seq| world.commit(seq).changes[0].to.as_ref().unwrap().sha256;
    assert_eq!((content(2), content(3)), (Digest::of(b"milk"), Digest::of(b"bread")));
    assert_eq!(laptop.log().await[1].id, Some(attempt.id));
    assert_eq!(laptop.unsettled().await, []);
}

#[tokio::test]
async fn attempt_that_another_machine_forestalled_is_lost_and_planned_anew() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("a.md", "milk");
    laptop.backend.refuse(creates(2));
    assert!(laptop.pushes().await.queued);
    laptop.backend.plug_in();
    desktop.writes("b.md", "tea");
    desktop.pushes().await;

    let report = laptop.pushes().await;

    assert_eq!(report.commit.map(|(seq, _)| seq), Some(3));
    converge(&laptop, &desktop).await;
    assert_eq!(world.head(), 3);
}

/// The entry at `seq` still lands; nothing can be asked about it afterwards.
pub(super) fn lands_unseen(machine: &Machine, seq: u64) {
    let backend = machine.backend.clone();
    machine.backend.before(creates(seq), async move {
        backend.refuse(move |verb, path| verb == "read" && path == entry_path(seq));
        backend.lose_reply_of(creates(seq));
    });
}

#[tokio::test]
async fn attempt_that_landed_unseen_is_known_by_its_id() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    let mut followed = laptop.project().follow(None).unwrap();
    laptop.writes("a.md", "milk");
    lands_unseen(&laptop, 2);
    assert!(laptop.pushes().await.queued);
    assert_eq!(world.head(), 2);
    laptop.backend.plug_in();
    desktop.pulls().await;
    desktop.writes("b.md", "tea");
    desktop.pushes().await;
    // A look at the head in between must not hide whose entry it was.
    laptop.writes("a.md", "bread");
    assert_eq!(laptop.project().status(false).await.unwrap().head, 3);

    let report = laptop.pushes().await;

    assert_eq!(report.conflicts, [], "the entry was our own");
    assert_eq!(world.times_committed("a.md").len(), 2);
    let mut told = Vec::new();
    while told.len() < 3 {
        told.push(followed.recv().await.expect("it goes on").seq);
    }
    assert_eq!(told, [2, 3, 4], "each once");
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.reads("a.md").as_deref(), Some("bread"));
}

#[tokio::test]
async fn attempt_is_known_by_a_machine_whose_copy_of_the_log_was_cut_short() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("a.md", "milk");
    converge(&laptop, &desktop).await;
    desktop.writes("b.md", "tea");
    desktop.pushes().await;
    laptop.pulls().await;
    laptop.writes("a.md", "bread");
    laptop.backend.before(creates(4), {
        let backend = laptop.backend.clone();
        async move {
            backend.refuse(|verb: &str, path: &str| verb == "read" && path == entry_path(4));
            backend.lose_reply_of(creates(4));
        }
    });
    assert!(laptop.pushes().await.queued);
    assert_eq!(world.head(), 4);
    // Power fails: the attempt was flushed, the last entry here was not.
    fs::remove_file(laptop.home.path().join("data").join(entry_name(3))).unwrap();
    laptop.backend.refuse(|_, _| true);
    laptop.open().await.unwrap();
    laptop.backend.plug_in();
    laptop.writes("a.md", "cheese");

    let report = laptop.pushes().await;

    assert_eq!(report.conflicts, [], "the entry was our own");
    assert_eq!(report.commit.map(|(seq, _)| seq), Some(5));
    converge(&laptop, &desktop).await;
}

#[tokio::test]
async fn dry_run_does_not_send_an_attempt_again() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.backend.refuse(creates(2));
    assert!(laptop.pushes().await.queued);
    laptop.backend.plug_in();

    let (events, _) = mpsc::channel(8);
    let request = JobRequest { job: push_of(&[]), dry_run: true, consent: false };
    let report = laptop.project().run(request, events, Cancel::new()).await.unwrap();

    assert_eq!(report.files.len(), 1, "it is still to be sent");
    assert_eq!(world.head(), 1);
    assert_eq!(laptop.pushes().await.commit.map(|(seq, _)| seq), Some(2));
}

#[tokio::test]
async fn followers_hear_of_every_commit_once() {
    for (number, fault) in (0..12).flat_map(|n| [(n, Fault::Before), (n, Fault::After)]) {
        let world = World::new().await;
        let laptop = world.machine("laptop").await;
        let desktop = world.machine("desktop").await;
        let mut followed = desktop.project().follow(None).unwrap();
        for name in ["a.md", "b.md", "c.md"] {
            laptop.writes(name, name);
            laptop.pushes().await;
        }
        desktop.writes("d.md", "d.md");
        desktop.backend.begin_story(Some((number, fault)));
        let _ = desktop.tries_push(&[]).await;
        desktop.backend.begin_story(None);
        let _ = desktop.project().poll().await;
        desktop.syncs().await;

        let mut seqs = Vec::new();
        while seqs.len() < 4 {
            seqs.push(followed.recv().await.expect("it goes on").seq);
        }
        tokio::task::yield_now().await;
        assert!(followed.try_recv().is_err(), "each comes once");
        assert_eq!(seqs, [2, 3, 4, 5], "{fault:?} at call {number}");
    }
}

#[tokio::test]
async fn deletion_that_landed_unseen_takes_no_file_that_was_to_stay() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.writes("b.md", "tea");
    laptop.pushes().await;
    lands_unseen(&laptop, 3);
    let scope = Scope { names: vec!["a.md".to_owned()] };
    let delete = Job::Delete { scope, keep_local: true, message: None };
    laptop.runs(delete).await.unwrap_err();
    assert_eq!(world.head(), 3, "it stands, and nobody here knows");
    laptop.backend.plug_in();

    for _ in 0..2 {
        laptop.syncs().await;
    }

    assert_eq!(laptop.reads("a.md").as_deref(), Some("milk"));
    assert_eq!(world.text("a.md"), None);
}
