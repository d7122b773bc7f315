//! Pushes whose backend is away: kept, and sent when it is back (B8).

use super::crashing::MOST_STEPS;
use super::replies::creates;
use super::*;

/// Nothing of this machine reaches its backend any more.
fn unplug(machine: &Machine) {
    machine.backend.refuse(|_, _| true);
}

async fn queues(machine: &Machine) -> Report {
    let report = machine.pushes().await;
    assert!(report.queued, "{report:?}");
    assert_eq!((report.commit, failed(&report)), (None, vec![]));
    report
}

/// The backend is back, and the daemon makes its round.
async fn round(machine: &Machine) {
    machine.backend.plug_in();
    machine.project().poll().await.unwrap();
}

async fn waiting(machine: &Machine) -> Option<QueuedWork> {
    let mut queue = machine.project().status(true).await.unwrap().queue;
    queue.retain(|work| work.kind == QueuedKind::Push);
    assert!(queue.len() < 2);
    queue.pop()
}

/// What the data folder holds of queued pushes: records and contents.
fn spool(machine: &Machine) -> (usize, usize) {
    let folder = machine.home.path().join("data/queue");
    let files = fs::read_dir(folder).into_iter().flatten();
    let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    let records = names.iter().filter(|name| name.to_str().unwrap().ends_with(".json")).count();
    (records, names.len() - records)
}

/// Every content that the log gives a path, in order.
fn versions(world: &World, path: &str) -> Vec<Option<Digest>> {
    let commits = (1..=world.head()).map(|seq| world.commit(seq));
    commits
        .flat_map(|commit| commit.changes)
        .filter(|change| change.path.as_str() == path)
        .map(|change| change.to.map(|entry| entry.sha256))
        .collect()
}

fn digests(texts: &[&str]) -> Vec<Option<Digest>> {
    texts.iter().map(|text| Some(Digest::of(text.as_bytes()))).collect()
}

/// Two machines that agree on some files; the laptop's backend is away.
async fn story() -> (World, Machine, Machine) {
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
        laptop.project().run(request, events)
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
    assert!(laptop.project().run(request, events).await.unwrap().queued);

    round(&laptop).await;

    assert_eq!(world.commit(3).consent, Some(true));
    assert_eq!(world.commit(3).changes.len(), 4);
}

#[tokio::test]
async fn other_machines_files_do_not_hinder_a_queued_push() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    queues(&laptop).await;
    desktop.writes("other.md", "coffee");
    desktop.pushes().await;

    round(&laptop).await;

    assert_eq!(versions(&world, "list.md")[1..], digests(&["eggs"]));
    converge(&laptop, &desktop).await;
    assert_eq!(laptop.reads("other.md").as_deref(), Some("coffee"));
}

#[tokio::test]
async fn version_that_another_machine_sent_meanwhile_is_not_sent_again() {
    let (world, laptop, desktop) = story().await;
    for machine in [&laptop, &desktop] {
        machine.writes("list.md", "eggs");
        machine.removes("gone.md");
    }
    queues(&laptop).await;
    laptop.writes("list.md", "later");
    queues(&laptop).await;
    desktop.pushes().await;

    round(&laptop).await;

    assert_eq!(versions(&world, "list.md")[1..], digests(&["eggs", "later"]));
    converge(&laptop, &desktop).await;
    assert_eq!((world.head(), laptop.stashed()), (4, vec![]));
}

#[tokio::test]
async fn queued_version_is_merged_with_what_another_machine_sent_meanwhile() {
    for edits_on in [false, true] {
        let (world, laptop, desktop) = story().await;
        laptop.writes("list.md", "MILK\n\nbread\n");
        queues(&laptop).await;
        if edits_on {
            laptop.writes("list.md", "MILK\n\nbread\n\njam\n");
        }
        desktop.writes("list.md", "milk\n\nBREAD\n");
        desktop.pushes().await;

        round(&laptop).await;

        let merged = "MILK\n\nBREAD\n";
        assert_eq!(versions(&world, "list.md").last(), digests(&[merged]).last());
        let inputs = &world.commit(4).resolved[0].inputs;
        let queued = Digest::of(b"MILK\n\nbread\n");
        assert!(inputs.iter().any(|input| input.sha256 == queued));
        assert_eq!(laptop.unsettled().await.len(), 1, "the result comes with a sync");
        if !edits_on {
            converge(&laptop, &desktop).await;
            assert_eq!(laptop.reads("list.md").as_deref(), Some(merged));
            assert_eq!(world.head(), 4);
        }
    }
}

#[tokio::test]
async fn queued_version_that_does_not_merge_is_the_conflict_of_its_path() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.writes("other.md", "coffee");
    queues(&laptop).await;
    desktop.writes("list.md", "flour");
    desktop.pushes().await;

    round(&laptop).await;

    assert_eq!(versions(&world, "list.md")[1..], digests(&["flour"]));
    assert_eq!(versions(&world, "other.md")[1..], digests(&["coffee"]), "the rest is sent");
    assert_eq!((spool(&laptop), laptop.stashed()), ((0, 0), vec![]));
    assert_eq!(laptop.reads("list.md").as_deref(), Some("eggs"));
    assert_eq!(laptop.syncs().await.conflicts, [rel("list.md")]);
}

#[tokio::test]
async fn queued_version_without_a_place_goes_to_the_stash() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    queues(&laptop).await;
    laptop.writes("list.md", "milk\n\nbread\n");
    desktop.writes("list.md", "flour");
    desktop.pushes().await;
    laptop.backend.plug_in();

    let report = laptop.pushes().await;

    let stashed = ("list.md".to_owned(), "queue".to_owned(), "eggs".to_owned());
    assert_eq!(laptop.stashed(), [stashed]);
    assert_eq!(failed(&report), ["list.md"], "it is told of");
    assert_eq!((spool(&laptop), world.head()), ((0, 0), 3));
    converge(&laptop, &desktop).await;
    assert_eq!(laptop.reads("list.md").as_deref(), Some("flour"));
}

#[tokio::test]
async fn queued_deletion_loses_to_an_edit_and_a_queued_edit_wins_over_a_deletion() {
    let (world, laptop, desktop) = story().await;
    laptop.removes("gone.md");
    laptop.writes("other.md", "coffee");
    queues(&laptop).await;
    desktop.writes("gone.md", "edited");
    desktop.removes("other.md");
    desktop.pushes().await;

    round(&laptop).await;
    converge(&laptop, &desktop).await;

    assert_eq!(desktop.reads("gone.md").as_deref(), Some("edited"));
    assert_eq!(desktop.reads("other.md").as_deref(), Some("coffee"));
    assert_eq!(world.head(), 4);
}

#[tokio::test]
async fn name_that_can_not_stand_beside_another_keeps_no_other_waiting() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("Twin.md", "here");
    laptop.writes("list.md", "eggs");
    queues(&laptop).await;
    desktop.writes("twin.md", "there");
    desktop.pushes().await;

    round(&laptop).await;

    assert_eq!(versions(&world, "list.md")[1..], digests(&["eggs"]));
    assert_eq!(versions(&world, "Twin.md"), []);
    assert_eq!(spool(&laptop), (0, 0));
    assert_eq!(laptop.reads("Twin.md").as_deref(), Some("here"));
}

#[tokio::test]
async fn push_that_landed_unheard_is_not_sent_again_from_the_queue() {
    for (between, after) in [
        (None, None),
        (None, Some("later")),
        (Some("between"), None),
        (Some("between"), Some("later")),
    ] {
        for (loses_state, other_goes_on) in
            [(false, false), (true, false), (false, true), (true, true)]
        {
            let (world, mut laptop, desktop) = story().await;
            laptop.backend.plug_in();
            laptop.writes("list.md", "milk\n\nbread\n\neggs\n");
            laptop.writes("new.md", "new");
            laptop.backend.before(creates(3), {
                let (backend, file) = (laptop.backend.clone(), laptop.root("list.md"));
                async move {
                    // The write itself still lands; nothing can be asked afterwards.
                    backend.refuse(|verb, _| verb == "read");
                    backend.lose_reply_of(creates(3));
                    if let Some(text) = between {
                        fs::write(file, text).unwrap();
                    }
                }
            });
            queues(&laptop).await;
            assert_eq!(world.head(), 3, "it has landed");
            unplug(&laptop);
            if let Some(text) = after {
                laptop.writes("list.md", text);
            }
            if other_goes_on {
                desktop.pulls().await;
                desktop.writes("list.md", "milk\n\nBREAD\n\neggs\n");
                desktop.pushes().await;
            }
            if loses_state {
                laptop.loses_state();
                laptop.open().await.unwrap();
            }

            round(&laptop).await;

            let case = format!("{between:?} {after:?} {loses_state} {other_goes_on}");
            let sent = versions(&world, "list.md");
            let once = sent.iter().filter(|sent| **sent == sent_first()).count();
            assert_eq!((once, versions(&world, "new.md").len()), (1, 1), "{case}: {sent:?}");
            assert_eq!(spool(&laptop), (0, 0), "{case}");
            if between.is_none() {
                assert_eq!(laptop.stashed(), [], "{case}");
                assert_eq!(world.head(), if other_goes_on { 4 } else { 3 }, "{case}");
            } else if !other_goes_on {
                assert_eq!(sent[2..], digests(&["between"]), "{case}");
            }
        }
    }
}

fn sent_first() -> Option<Digest> {
    Some(Digest::of(b"milk\n\nbread\n\neggs\n"))
}

#[tokio::test]
async fn full_disk_queues_nothing_and_says_so() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.writes("new.md", "new");
    for writes in 0..3 {
        laptop.room.fills_up_after(writes);
        let error = laptop.tries_push(&[]).await.unwrap_err();
        assert_eq!(error.class(), mirror_storage::FaultClass::Quota, "{error}");
        assert_eq!((waiting(&laptop).await, spool(&laptop)), (None, (0, 0)));
    }
    laptop.room.is_made();
    queues(&laptop).await;
    round(&laptop).await;
    converge(&laptop, &desktop).await;
    assert_eq!(world.head(), 3);
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
async fn queueing_cut_anywhere_keeps_all_or_nothing() {
    for steps in 0..MOST_STEPS {
        let (world, mut laptop, desktop) = story().await;
        laptop.writes("list.md", "eggs");
        laptop.writes("new.md", "new");
        laptop.removes("gone.md");
        let was_cut = cut(&mut laptop, steps, push_of(&[])).await;
        let case = format!("cut after {steps} steps");
        let held = spool(&laptop);
        assert!([(0, 0), (1, 2)].contains(&held), "{case}: {held:?}");
        assert_eq!(waiting(&laptop).await.is_some(), held.0 == 1, "{case}");
        laptop.backend.plug_in();

        laptop.pushes().await;

        assert_eq!(versions(&world, "list.md")[1..], digests(&["eggs"]), "{case}");
        assert_eq!((world.head(), spool(&laptop)), (3, (0, 0)), "{case}");
        converge(&laptop, &desktop).await;
        if !was_cut {
            assert!(steps > 3, "queueing takes steps");
            return;
        }
    }
    panic!("the job never came to its end");
}

#[tokio::test]
async fn sending_cut_anywhere_sends_each_version_once() {
    for (steps, loses_state) in (0..MOST_STEPS).flat_map(|steps| [(steps, false), (steps, true)]) {
        let (world, mut laptop, desktop) = story().await;
        laptop.writes("list.md", "MILK\n\nbread\n");
        laptop.writes("new.md", "one");
        laptop.writes("clash.md", "here");
        laptop.removes("gone.md");
        queues(&laptop).await;
        laptop.writes("new.md", "two");
        laptop.writes("clash.md", "here, later");
        queues(&laptop).await;
        desktop.writes("list.md", "milk\n\nBREAD\n");
        desktop.writes("clash.md", "there");
        desktop.pushes().await;
        laptop.backend.plug_in();

        let was_cut = cut(&mut laptop, steps, push_of(&["other.md"])).await;
        let case = format!("cut after {steps} steps, state lost: {loses_state}");
        if loses_state {
            laptop.loses_state();
            laptop.open().await.unwrap();
        }
        // Somebody goes on from there before this machine is back.
        desktop.pulls().await;
        desktop.writes("new.md", "three");
        let before = desktop.syncs().await;
        assert_eq!(before.conflicts, [], "{case}");
        laptop.tries_push(&["other.md"]).await.unwrap_or_else(|error| panic!("{case}: {error}"));

        assert_eq!(spool(&laptop), (0, 0), "{case}");
        for path in ["list.md", "new.md", "gone.md", "clash.md"] {
            let times = world.times_committed(path);
            assert!(times.values().all(|times| *times == 1), "{case}: {path} {times:?}");
        }
        let queued = [
            ("list.md", "MILK\n\nbread\n"),
            ("new.md", "one"),
            ("new.md", "two"),
            ("clash.md", "here"),
        ];
        for (path, text) in queued {
            let digest = Digest::of(text.as_bytes());
            let commits = (1..=world.head()).map(|seq| world.commit(seq));
            let is_known = commits.flat_map(|commit| {
                let inputs = commit.resolved.into_iter().flat_map(|r| r.inputs).map(|i| i.sha256);
                let changes = commit.changes.into_iter().filter_map(|c| Some(c.to?.sha256));
                inputs.chain(changes).collect::<Vec<_>>()
            });
            let in_log = is_known.into_iter().any(|known| known == digest);
            let stashed = laptop
                .stashed()
                .iter()
                .filter(|(p, _, t)| (p.as_str(), t.as_str()) == (path, text))
                .count();
            let stands = laptop.reads(path).as_deref() == Some(text);
            assert!(in_log || stashed == 1 || stands, "{case}: {path} {text:?}");
        }
        if !was_cut && loses_state {
            assert!(steps > 10, "sending takes steps");
            return;
        }
    }
    panic!("the job never came to its end");
}
