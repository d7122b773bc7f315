//! A job that is cancelled: before its append nothing was committed, after it the
//! commit stands (S6); its packs are used by the next push, or removed (P7).

use super::meddling_tree::Step;
use super::*;

/// Runs `job` and cancels it just before the call that `chooser` picks.
async fn cancelled_at(
    machine: &Machine,
    job: Job,
    chooser: impl Fn(&str, &str) -> bool + Send + 'static,
) -> Report {
    let cancel = Cancel::new();
    let flag = cancel.clone();
    machine.backend.before(chooser, async move { flag.cancel() });
    let (events, _) = mpsc::channel(64);
    let request = JobRequest { job, dry_run: false, consent: false };
    machine.project().run(request, events, cancel).await.unwrap()
}

fn packs(world: &World) -> BTreeSet<String> {
    world.names("_mirror/packs")
}

fn is_entry(number: u64) -> impl Fn(&str, &str) -> bool + Send + 'static {
    let path = entry_path(number);
    move |verb, called| verb == "write" && called == path
}

#[tokio::test]
async fn job_cancelled_before_it_began_does_nothing() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    let (events, _) = mpsc::channel(64);
    let cancel = Cancel::new();
    cancel.cancel();
    let request = JobRequest { job: push_of(&[]), dry_run: false, consent: false };

    let report = laptop.project().run(request, events, cancel).await.unwrap();

    assert!(report.cancelled && report.commit.is_none() && report.files.is_empty(), "{report:?}");
    assert_eq!(laptop.project().head(), 1);
    assert_eq!(laptop.pushes().await.commit.map(|(seq, _)| seq), Some(2));
}

#[tokio::test]
async fn push_cancelled_before_its_append_leaves_its_pack_to_the_next() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");

    // The pack is under way when it is cancelled; its upload ends whole.
    let report = cancelled_at(&laptop, push_of(&[]), |verb, path| {
        verb == "write" && path.contains("/packs/")
    })
    .await;

    assert!(report.cancelled && report.commit.is_none(), "{report:?}");
    assert_eq!(world.head(), 1);
    let uploaded = packs(&world);
    assert_eq!(uploaded.len(), 1);
    laptop.backend.begin_story(None);
    let report = laptop.pushes().await;
    assert_eq!(report.commit.map(|(seq, _)| seq), Some(2));
    assert_eq!(packs(&world), uploaded, "it was used as it is");
    let calls = laptop.backend.ended();
    assert!(calls.iter().all(|call| !(call.verb == "write" && call.path.contains("/packs/"))));
}

#[tokio::test]
async fn pack_that_nobody_needs_any_more_is_removed_by_the_next_push() {
    for changed in ["bread", "milk again"] {
        let world = World::new().await;
        let mut laptop = world.machine("laptop").await;
        laptop.writes("a.md", "milk");
        let at_pack = |verb: &str, path: &str| verb == "write" && path.contains("/packs/");
        cancelled_at(&laptop, push_of(&[]), at_pack).await;
        let left = packs(&world);
        // Also by another run of the daemon.
        laptop.open().await.unwrap();

        laptop.writes("a.md", changed);
        laptop.pushes().await;

        assert_eq!(packs(&world).len(), 1);
        assert!(packs(&world).is_disjoint(&left), "what is left is the new commit's");
        assert_eq!(world.text("a.md").as_deref(), Some(changed));
    }
}

#[tokio::test]
async fn commit_stands_that_was_sent_when_its_push_was_cancelled() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");

    let report = cancelled_at(&laptop, push_of(&[]), is_entry(2)).await;

    assert!(report.cancelled, "{report:?}");
    assert_eq!(report.commit.map(|(seq, _)| seq), Some(2));
    // The view is written later, and nothing is sent again.
    let report = laptop.pushes().await;
    assert_eq!(report.commit, None);
    assert_eq!(world.text("a.md").as_deref(), Some("milk"));
    assert_eq!(packs(&world).len(), 1, "a pack of the log is nobody's to remove");
}

#[tokio::test]
async fn cancelled_view_is_written_by_the_next_job() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let names: Vec<String> = (0..40).map(|number| format!("{number:02}.md")).collect();
    for name in &names {
        laptop.writes(name, name);
    }
    let at_view = |verb: &str, path: &str| verb == "write" && !path.starts_with("_mirror/");

    let report = cancelled_at(&laptop, push_of(&[]), at_view).await;

    assert!(report.cancelled && report.view_pending, "{report:?}");
    assert_eq!(report.commit.map(|(seq, _)| seq), Some(2));
    let shown = |world: &World| names.iter().filter(|name| world.text(name).is_some()).count();
    assert!((1..names.len()).contains(&shown(&world)), "{}", shown(&world));
    assert!(!laptop.pushes().await.view_pending);
    assert_eq!(shown(&world), names.len());
}

/// A lost reply leaves the outcome open: the attempt stays, and is settled (L5).
#[tokio::test]
async fn push_cancelled_while_its_outcome_is_unknown_is_settled_by_the_next() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    let (entry, cancel) = (entry_path(2), Cancel::new());
    let (flag, seen) = (cancel.clone(), cancel.clone());
    laptop.backend.before(is_entry(2), async move { flag.cancel() });
    laptop.backend.refuse({
        let entry = entry.clone();
        move |verb, path| seen.is_cancelled() && verb == "read" && path == entry
    });
    laptop.backend.lose_reply_of(move |verb, path| verb == "write" && path == entry);
    let (events, _) = mpsc::channel(64);
    let request = JobRequest { job: push_of(&[]), dry_run: false, consent: false };

    let report = laptop.project().run(request, events, cancel).await.unwrap();

    assert!(report.cancelled && !report.queued, "{report:?}");
    laptop.backend.refuse(|_, _| false);
    laptop.backend.lose_reply_of(|_, _| false);
    laptop.writes("a.md", "milk, bread");
    laptop.pushes().await;
    assert_eq!(world.head(), 3, "each edit once");
    assert_eq!(laptop.unsettled().await, []);
}

#[tokio::test]
async fn cancelled_pull_keeps_what_landed_and_goes_on_from_there() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for number in 0..600 {
        laptop.writes(&format!("{number:03}.md"), format!("note {number}"));
    }
    laptop.pushes().await;
    let cancel = Cancel::new();
    let (flag, mut steps) = (cancel.clone(), 0);
    desktop.tree.haunt(move |step, _| {
        steps += usize::from(step == Step::Put);
        if steps == 300 {
            flag.cancel();
        }
    });
    let (events, _) = mpsc::channel(64);
    let job = Job::Pull { scope: Scope::default() };
    let request = JobRequest { job, dry_run: false, consent: false };

    let report = desktop.project().run(request, events, cancel).await.unwrap();

    assert!(report.cancelled && report.failed.is_empty(), "{report:?}");
    let landed = report.files.len();
    assert!((256..600).contains(&landed), "{landed}");
    assert_eq!(desktop.files().len(), landed, "nothing is left beside them");
    let report = desktop.pulls().await;
    assert_eq!(report.files.len(), 600 - landed);
    assert_eq!(desktop.files(), laptop.files());
}

#[tokio::test]
async fn cancelled_deletion_of_many_keeps_the_others() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    let names: Vec<String> = (0..8).map(|number| format!("{number}.md")).collect();
    for name in &names {
        laptop.writes(name, name);
    }
    laptop.pushes().await;
    desktop.pulls().await;
    for name in &names[..2] {
        laptop.removes(name);
    }
    laptop.pushes().await;
    let cancel = Cancel::new();
    let flag = cancel.clone();
    desktop.tree.haunt(move |step, _| {
        if step == Step::Take {
            flag.cancel();
        }
    });
    let (events, _) = mpsc::channel(64);
    let job = Job::Pull { scope: Scope::default() };
    let request = JobRequest { job, dry_run: false, consent: true };

    let report = desktop.project().run(request, events, cancel).await.unwrap();

    assert!(report.cancelled && report.failed.is_empty(), "{report:?}");
    assert_eq!(desktop.files().len(), 7);
    desktop.pulls().await;
    assert_eq!(desktop.files(), laptop.files());
}

#[tokio::test]
async fn queued_push_stays_queued_when_its_sending_is_cancelled() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.backend.refuse(|_, _| true);
    assert!(laptop.pushes().await.queued);
    laptop.backend.refuse(|_, _| false);

    let report = cancelled_at(&laptop, push_of(&[]), |verb, path| {
        verb == "write" && path.contains("/packs/")
    })
    .await;

    assert!(report.cancelled && report.commit.is_none(), "{report:?}");
    assert_eq!(world.head(), 1);
    laptop.pushes().await;
    assert_eq!(world.head(), 2);
    assert_eq!(world.text("a.md").as_deref(), Some("milk"));
    assert_eq!(packs(&world).len(), 1);
}

#[tokio::test]
async fn handle_cancels_the_running_job_and_says_what_it_did() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    assert_eq!(laptop.project().cancel().await, None, "nothing runs");
    laptop.writes("a.md", "milk");
    let (project, outcome) = (laptop.project().clone(), Arc::new(std::sync::Mutex::new(None)));
    let told = outcome.clone();
    laptop.backend.before(is_entry(2), async move {
        // Not waited for: the job itself is what it waits for.
        tokio::spawn(async move {
            let cancelled = project.cancel().await;
            *told.lock().unwrap() = Some(cancelled);
        });
        tokio::task::yield_now().await;
    });

    let report = laptop.pushes().await;

    assert!(report.cancelled, "{report:?}");
    while outcome.lock().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    let said = Some(Some(Cancelled { kind: "push", commit: Some(2) }));
    assert_eq!(*outcome.lock().unwrap(), said);
}

/// A content that somebody took back must not get into the log by its neighbour.
#[tokio::test]
async fn pack_with_a_content_that_is_no_longer_wanted_is_not_committed() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.writes("secret.md", "the key");
    let at_pack = |verb: &str, path: &str| verb == "write" && path.contains("/packs/");
    cancelled_at(&laptop, push_of(&[]), at_pack).await;
    let left = packs(&world);

    laptop.removes("secret.md");
    laptop.pushes().await;

    assert!(packs(&world).is_disjoint(&left) && packs(&world).len() == 1);
    let contents: Vec<Digest> =
        world.commit(2).packs.iter().flat_map(|p| &p.contents).map(|c| c.sha256).collect();
    assert_eq!(contents, [Digest::of(b"milk")]);
}

/// Events tell of the file once: a read that was cancelled must not use them up.
#[tokio::test]
async fn file_whose_reading_was_cancelled_is_sent_by_the_next_push() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    laptop.watch =
        Some(crate::real::start_watch(laptop.root(""), Vec::new(), laptop.root("../cookies")));
    laptop.open().await.unwrap();
    laptop.writes("a.md", "milk");
    laptop.pushes().await;
    laptop.writes("a.md", "bread");
    let cancel = Cancel::new();
    let flag = cancel.clone();
    laptop.tree.haunt(move |step, path| {
        if step == Step::Open && path.as_str() == "a.md" {
            flag.cancel();
        }
    });
    let (events, _) = mpsc::channel(64);
    let request = JobRequest { job: push_of(&[]), dry_run: false, consent: false };
    let report = laptop.project().run(request, events, cancel).await.unwrap();
    assert!(report.cancelled && report.commit.is_none(), "{report:?}");
    laptop.tree.haunt(|_, _| {});

    let report = laptop.pushes().await;

    assert_eq!((report.commit.map(|(seq, _)| seq), failed(&report)), (Some(3), vec![]));
    assert_eq!(world.text("a.md").as_deref(), Some("bread"));
}

#[tokio::test]
async fn cancelled_deletion_that_keeps_the_file_ignores_nothing() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes(".mirrorignore", "drafts/\n");
    laptop.writes("a.md", "milk");
    laptop.pushes().await;
    let scope = Scope { names: vec!["a.md".to_owned()] };
    let delete = Job::Delete { scope, keep_local: true, message: None };
    let at_pack = |verb: &str, path: &str| verb == "write" && path.contains("/packs/");

    let report = cancelled_at(&laptop, delete, at_pack).await;

    assert!(report.cancelled && report.commit.is_none(), "{report:?}");
    assert_eq!(laptop.reads(".mirrorignore").as_deref(), Some("drafts/\n"));
    assert_eq!(laptop.pushes().await.commit, None);
    assert_eq!(world.text("a.md").as_deref(), Some("milk"));
}
