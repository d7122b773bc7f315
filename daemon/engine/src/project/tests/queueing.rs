//! Pushes whose backend is away: kept, and sent when it is back (B8).

use super::*;

/// Nothing of this machine reaches its backend any more.
pub(super) fn unplug(machine: &Machine) {
    machine.backend.refuse(|_, _| true);
}

pub(super) async fn queues(machine: &Machine) -> Report {
    let report = machine.pushes().await;
    assert!(report.queued, "{report:?}");
    assert_eq!((report.commit, failed(&report)), (None, vec![]));
    report
}

/// The backend is back, and the daemon makes its round.
pub(super) async fn round(machine: &Machine) {
    machine.backend.plug_in();
    machine.project().poll().await.unwrap();
}

pub(super) async fn waiting(machine: &Machine) -> Option<QueuedWork> {
    let mut queue = machine.project().status(true).await.unwrap().queue;
    queue.retain(|work| work.kind == QueuedKind::Push);
    assert!(queue.len() < 2);
    queue.pop()
}

/// What the data folder holds of queued pushes: records and contents.
pub(super) fn spool(machine: &Machine) -> (usize, usize) {
    let folder = machine.home.path().join("data/queue");
    let files = fs::read_dir(folder).into_iter().flatten();
    let paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    let is_record = |path: &&PathBuf| path.extension().is_some_and(|end| end == "json");
    let records = paths.iter().filter(is_record).count();
    (records, paths.len() - records)
}

/// Every content that the log gives a path, in order.
pub(super) fn versions(world: &World, path: &str) -> Vec<Option<Digest>> {
    let commits = (1..=world.head()).map(|seq| world.commit(seq));
    commits
        .flat_map(|commit| commit.changes)
        .filter(|change| change.path.as_str() == path)
        .map(|change| change.to.map(|entry| entry.sha256))
        .collect()
}

pub(super) fn digests(texts: &[&str]) -> Vec<Option<Digest>> {
    texts.iter().map(|text| Some(Digest::of(text.as_bytes()))).collect()
}

/// Two machines that agree on some files; the laptop's backend is away.
pub(super) async fn story() -> (World, Machine, Machine) {
    let world = World::on(MemoryProfile::RENAME).await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("list.md", "milk\n\nbread\n");
    laptop.writes("other.md", "tea");
    laptop.writes("gone.md", "old");
    converge(&laptop, &desktop).await;
    unplug(&laptop);
    (world, laptop, desktop)
}

#[tokio::test]
async fn queued_push_goes_out_at_the_daemons_next_round() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.writes("new.md", "new");
    laptop.removes("gone.md");
    let asked = world.outside.clock.now();

    queues(&laptop).await;

    let work = waiting(&laptop).await.expect("status shows it");
    assert_eq!((work.since, work.attempts), (asked, 1));
    assert_eq!(work.fault.class, mirror_storage::FaultClass::Transient);
    assert_eq!(world.head(), 2);
    round(&laptop).await;
    assert_eq!(world.head(), 3);
    assert_eq!((waiting(&laptop).await, spool(&laptop)), (None, (0, 0)));
    assert_eq!(laptop.unsettled().await, []);
    assert_eq!(world.text("list.md").as_deref(), Some("eggs"), "the view follows");
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.reads("new.md").as_deref(), Some("new"));
    assert_eq!(desktop.reads("gone.md"), None);
    assert_eq!(world.head(), 3);
}

#[tokio::test]
async fn queued_push_survives_a_restart_and_lost_state() {
    for loses_state in [false, true] {
        let (world, mut laptop, desktop) = story().await;
        laptop.writes("list.md", "eggs");
        laptop.removes("gone.md");
        let asked = world.outside.clock.now();
        queues(&laptop).await;
        world.advance(Duration::from_hours(1));
        if loses_state {
            laptop.loses_state();
        }
        laptop.open().await.unwrap();
        assert_eq!(waiting(&laptop).await.unwrap().since, asked);
        laptop.project().poll().await.unwrap_err();
        assert_eq!(waiting(&laptop).await.unwrap().attempts, 1);

        round(&laptop).await;

        assert_eq!(versions(&world, "list.md")[1..], digests(&["eggs"]));
        assert_eq!(versions(&world, "gone.md")[1..], [None]);
        converge(&laptop, &desktop).await;
        assert_eq!(world.head(), 3);
    }
}

#[tokio::test]
async fn next_job_sends_what_is_queued_first() {
    let (world, laptop, _desktop) = story().await;
    laptop.writes("list.md", "eggs");
    queues(&laptop).await;
    laptop.writes("other.md", "coffee");
    laptop.backend.plug_in();

    let report = laptop.tries_push(&["other.md"]).await.unwrap();

    assert_eq!((report.queued, world.head()), (false, 4));
    assert_eq!(world.commit(3).changes[0].path.as_str(), "list.md");
    assert_eq!(world.commit(4).changes[0].path.as_str(), "other.md");
    assert_eq!(laptop.unsettled().await, []);
}

#[tokio::test]
async fn working_tree_goes_on_while_a_push_waits() {
    for later in [Some("later"), Some("milk\n\nbread\n"), None] {
        let (world, laptop, desktop) = story().await;
        laptop.writes("list.md", "eggs");
        queues(&laptop).await;
        match later {
            Some(text) => laptop.writes("list.md", text),
            None => laptop.removes("list.md"),
        }

        round(&laptop).await;

        assert_eq!(versions(&world, "list.md")[1..], digests(&["eggs"]), "{later:?}");
        assert_eq!(laptop.reads("list.md").as_deref(), later);
        converge(&laptop, &desktop).await;
        assert_eq!(desktop.reads("list.md").as_deref(), later);
        assert_eq!(versions(&world, "list.md").len(), 3);
        assert_eq!(laptop.stashed(), []);
    }
}

#[tokio::test]
async fn two_queued_pushes_are_two_commits_in_their_order() {
    for (later, restarts) in [Some("later"), Some("milk\n\nbread\n"), None]
        .into_iter()
        .flat_map(|l| [(l, false), (l, true)])
    {
        let (world, mut laptop, desktop) = story().await;
        laptop.writes("list.md", "eggs");
        laptop.writes("same.md", "eggs");
        queues(&laptop).await;
        match later {
            Some(text) => laptop.writes("list.md", text),
            None => laptop.removes("list.md"),
        }
        queues(&laptop).await;
        assert_eq!(spool(&laptop).0, 2);
        if restarts {
            laptop.open().await.unwrap();
        }

        round(&laptop).await;

        let later_digest = later.map(|text| Digest::of(text.as_bytes()));
        let first = Some(Digest::of(b"eggs"));
        assert_eq!(versions(&world, "list.md")[1..], [first, later_digest], "{later:?}");
        assert_eq!(versions(&world, "same.md"), [first]);
        assert_eq!(spool(&laptop), (0, 0));
        assert_eq!(laptop.unsettled().await, []);
        converge(&laptop, &desktop).await;
        assert_eq!(world.head(), 4);
    }
}

#[tokio::test]
async fn push_with_nothing_new_is_queued_already() {
    let (_world, laptop, _desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.removes("gone.md");
    queues(&laptop).await;
    let before = spool(&laptop);

    queues(&laptop).await;

    assert_eq!((before, spool(&laptop)), ((1, 1), (1, 1)));
    assert_eq!(waiting(&laptop).await.unwrap().attempts, 2);
}

#[tokio::test]
async fn what_has_nothing_to_queue_fails_as_before() {
    let (world, laptop, _desktop) = story().await;
    laptop.tries_push(&[]).await.unwrap_err();
    laptop.tries_sync().await.unwrap_err();
    laptop.writes("list.md", "eggs");
    laptop.tries_pull().await.unwrap_err();
    laptop.tries_push(&["other.md"]).await.unwrap_err();
    let unknown = laptop.tries_push(&["nowhere.md"]).await.unwrap_err();
    assert_eq!(unknown.class(), mirror_storage::FaultClass::NotFound);
    let scope = Scope { names: vec!["gone.md".to_owned()] };
    laptop.runs(Job::Delete { scope, keep_local: false, message: None }).await.unwrap_err();

    assert_eq!((waiting(&laptop).await, spool(&laptop), world.head()), (None, (0, 0), 2));
}

#[tokio::test]
async fn refused_credentials_are_an_error_and_queue_nothing() {
    let (world, laptop, _desktop) = story().await;
    laptop.backend.plug_in();
    laptop.backend.refuse_credentials();
    laptop.writes("list.md", "eggs");
    let error = laptop.tries_push(&[]).await.unwrap_err();
    assert_eq!(error.class(), mirror_storage::FaultClass::Auth);
    assert_eq!((spool(&laptop), world.head()), ((0, 0), 2));
}

#[tokio::test]
async fn only_what_was_named_is_queued() {
    let (world, laptop, _desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.writes("other.md", "coffee");
    assert!(laptop.tries_push(&["list.md"]).await.unwrap().queued);
    laptop.tries_push(&["other.md", "gone.md"]).await.unwrap();
    laptop.writes("gone.md", "new");

    round(&laptop).await;

    assert_eq!(world.head(), 4);
    assert_eq!(laptop.unsettled().await, [("gone.md".to_owned(), FileState::LocalAhead)]);
}

#[tokio::test]
async fn sync_queues_what_it_would_send() {
    let (world, laptop, desktop) = story().await;
    desktop.writes("other.md", "coffee");
    desktop.pushes().await;
    laptop.writes("list.md", "eggs");
    assert!(laptop.syncs().await.queued);

    round(&laptop).await;

    assert_eq!(world.commit(4).action, mirror_core::commit::Action::Sync);
    assert_eq!(laptop.reads("other.md").as_deref(), Some("tea"), "a round pulls nothing");
    converge(&laptop, &desktop).await;
    assert_eq!(world.head(), 4);
}

#[tokio::test]
async fn dry_run_queues_and_sends_nothing() {
    let (world, laptop, _desktop) = story().await;
    let dry = || {
        let (events, _) = mpsc::channel(64);
        let request = JobRequest { job: push_of(&[]), dry_run: true, consent: false };
        laptop.project().run(request, events, Cancel::new())
    };
    laptop.writes("list.md", "eggs");
    dry().await.unwrap_err();
    assert_eq!(spool(&laptop), (0, 0));
    queues(&laptop).await;
    laptop.backend.plug_in();

    dry().await.unwrap();

    assert_eq!((spool(&laptop), world.head()), ((1, 1), 2));
}

#[tokio::test]
async fn mass_deletion_asks_before_it_is_queued() {
    let (_world, laptop, _desktop) = story().await;
    for name in ["list.md", "other.md", "gone.md"] {
        laptop.removes(name);
    }
    laptop.writes("stays.md", "here");
    let error = laptop.tries_push(&[]).await.unwrap_err();
    assert_eq!(error.class(), mirror_storage::FaultClass::Consent);
    assert_eq!(spool(&laptop), (0, 0));
}

#[tokio::test]
async fn consent_that_was_given_is_sent_with_the_push() {
    let (world, laptop, _desktop) = story().await;
    for name in ["list.md", "other.md", "gone.md"] {
        laptop.removes(name);
    }
    laptop.writes("stays.md", "here");
    let (events, _) = mpsc::channel(64);
    let request = JobRequest { job: push_of(&[]), dry_run: false, consent: true };
    assert!(laptop.project().run(request, events, Cancel::new()).await.unwrap().queued);

    round(&laptop).await;

    assert_eq!(world.commit(3).consent, Some(true));
    assert_eq!(world.commit(3).changes.len(), 4);
}

#[tokio::test]
async fn waits_grow_and_a_push_by_hand_does_not_wait() {
    let (world, laptop, _desktop) = story().await;
    // The log can be read; what is written is refused.
    laptop.backend.refuse(|verb, _| verb == "write");
    laptop.writes("list.md", "eggs");
    queues(&laptop).await;
    laptop.project().poll().await.unwrap();
    for attempts in 2..6 {
        let work = waiting(&laptop).await.unwrap();
        assert_eq!(work.attempts, attempts);
        let longest = 5_000 << attempts;
        let wait = work.next_at.milliseconds() - world.outside.clock.now().milliseconds();
        assert!((0..=longest).contains(&wait), "{wait}");
        if wait > 0 {
            laptop.project().poll().await.unwrap();
            assert_eq!(waiting(&laptop).await.unwrap().attempts, attempts, "not yet");
        }
        world.advance(Duration::from_millis(u64::try_from(wait).unwrap()));
        laptop.project().poll().await.unwrap();
    }
    laptop.backend.plug_in();
    assert!(!laptop.pushes().await.queued);
    assert_eq!((waiting(&laptop).await, world.head()), (None, 3));
}

#[tokio::test]
async fn job_that_sends_nothing_says_what_waits() {
    let (_world, laptop, _desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.backend.plug_in();
    // The log can be read, and nothing can be written.
    laptop.backend.refuse(|verb, _| verb == "write");
    assert_eq!(queues(&laptop).await.waiting_count, 1);

    let report = laptop.pulls().await;

    assert_eq!((report.waiting_count, report.queued), (1, false));
    laptop.backend.plug_in();
    assert_eq!(laptop.syncs().await.waiting_count, 0);
}
