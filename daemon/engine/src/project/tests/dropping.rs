//! Queued pushes that a person gives up: kept in the stash, and never sent.

use super::queueing::*;
use super::replies::creates;
use super::*;
use crate::error::EngineError;
use crate::project::Project;

async fn drops(machine: &Machine, id: Option<&str>) -> EngineResult<DroppedPushes> {
    machine.project().drop_queued(id.map(str::to_owned)).await
}

async fn ids(machine: &Machine) -> Vec<String> {
    let queue = machine.project().queue().await.unwrap();
    queue.pushes.iter().map(|push| push.id.to_string()).collect()
}

/// Rounds of the daemon, as long as anything could wait for its time.
async fn rounds(world: &World, machine: &Machine) {
    for _ in 0..3 {
        world.advance(Duration::from_hours(1));
        round(machine).await;
    }
}

fn stashed(machine: &Machine) -> Vec<(String, String)> {
    machine.stashed().into_iter().map(|(path, _, text)| (path, text)).collect()
}

/// A push whose append the laptop knows nothing of; `how` it went is up to the
/// caller. The backend answers again.
async fn unanswered(how: impl FnOnce(&Machine)) -> (World, Machine, Machine) {
    let (world, laptop, desktop) = story().await;
    laptop.backend.plug_in();
    laptop.writes("list.md", "eggs");
    how(&laptop);
    queues(&laptop).await;
    laptop.backend.plug_in();
    (world, laptop, desktop)
}

/// The append lands, and nobody can be asked about it.
fn lands(laptop: &Machine) {
    let backend = laptop.backend.clone();
    laptop.backend.before(creates(3), async move {
        backend.refuse(|verb, _| verb == "read");
        backend.lose_reply_of(creates(3));
    });
}

#[tokio::test]
async fn dropped_push_is_in_the_stash_and_its_file_is_an_edit() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("list.md", "eggs");
    laptop.removes("gone.md");
    queues(&laptop).await;
    laptop.writes("other.md", "coffee");
    queues(&laptop).await;
    let waiting = ids(&laptop).await;

    // Its beginning is enough, however it is typed.
    let dropped = drops(&laptop, Some(&waiting[0].to_lowercase()[..20])).await.unwrap();

    let told = |dropped: &DroppedPushes| -> Vec<String> {
        dropped.pushes.iter().map(|push| push.id.to_string()).collect()
    };
    assert_eq!(told(&dropped), waiting[..1]);
    assert_eq!((dropped.committed, dropped.gone), (vec![], vec![]));
    assert_eq!(stashed(&laptop), [("list.md".to_owned(), "eggs".to_owned())]);
    assert_eq!(ids(&laptop).await, waiting[1..]);
    assert_eq!(spool(&laptop), (1, 1));
    assert_eq!(laptop.reads("list.md").as_deref(), Some("eggs"));

    round(&laptop).await;
    assert_eq!(versions(&world, "list.md").len(), 1, "it was sent");
    assert_eq!(versions(&world, "other.md").len(), 2);
    laptop.pushes().await;
    assert_eq!(versions(&world, "list.md").last(), digests(&["eggs"]).last());
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.reads("gone.md"), None);
}

#[tokio::test]
async fn all_pushes_are_dropped_and_nothing_waits() {
    let (world, laptop, _desktop) = story().await;
    laptop.writes("list.md", "eggs");
    queues(&laptop).await;
    laptop.writes("list.md", "ham");
    queues(&laptop).await;

    assert!(matches!(drops(&laptop, Some("0")).await, Err(EngineError::AmbiguousId { .. })));
    assert!(matches!(drops(&laptop, Some("Z")).await, Err(EngineError::NotQueued(_))));
    let dropped = drops(&laptop, None).await.unwrap();

    assert_eq!((dropped.pushes.len(), dropped.stashed.len()), (2, 2));
    assert_eq!((spool(&laptop), waiting(&laptop).await), ((0, 0), None));
    rounds(&world, &laptop).await;
    assert_eq!(world.head(), 2);
}

#[tokio::test]
async fn push_that_landed_unheard_is_named_when_it_is_dropped() {
    for loses_state in [false, true] {
        let (world, mut laptop, desktop) = unanswered(lands).await;
        assert_eq!(world.head(), 3, "it has landed");
        if loses_state {
            laptop.loses_state();
            laptop.open().await.unwrap();
        }
        let waiting = ids(&laptop).await;

        let dropped = drops(&laptop, None).await.unwrap();

        let committed: Vec<_> =
            dropped.committed.iter().map(|(push, seq)| (push.id.to_string(), *seq)).collect();
        assert_eq!(committed, [(waiting[0].clone(), 3)], "{loses_state}");
        assert_eq!((dropped.pushes, stashed(&laptop)), (vec![], vec![]));
        assert_eq!(ids(&laptop).await, [""; 0]);
        converge(&laptop, &desktop).await;
        assert_eq!(world.head(), 3);
    }
}

#[tokio::test]
async fn push_that_never_arrived_is_not_sent_because_it_is_dropped() {
    let refused = |laptop: &Machine| laptop.backend.refuse(|verb, path| creates(3)(verb, path));
    let (world, laptop, _desktop) = unanswered(refused).await;

    let dropped = drops(&laptop, None).await.unwrap();

    assert_eq!((dropped.pushes.len(), dropped.committed.len()), (1, 0));
    assert_eq!(stashed(&laptop), [("list.md".to_owned(), "eggs".to_owned())]);
    rounds(&world, &laptop).await;
    assert_eq!(world.head(), 2, "it was sent");
}

#[tokio::test]
async fn push_that_arrives_after_it_was_dropped_is_told_of_and_built_upon() {
    let (world, laptop, desktop) =
        unanswered(|laptop| laptop.backend.delay(|verb, path| creates(3)(verb, path))).await;
    let dropped = drops(&laptop, None).await.unwrap();
    assert_eq!((dropped.pushes.len(), world.head()), (1, 2));
    laptop.writes("list.md", "eggs, and ham");
    laptop.backend.lets_arrive().await;
    assert_eq!(world.head(), 3);

    laptop.project().poll().await.unwrap();
    let report = laptop.pushes().await;

    assert_eq!(report.conflicts, [], "it is the base of the edit");
    assert_eq!(report.commit.map(|(seq, _)| seq), Some(4));
    let notices: Vec<_> = report.notices.iter().map(|notice| notice.kind).collect();
    assert_eq!(notices, [NoticeKind::DroppedPushArrived], "{report:?}");
    assert!(report.notices[0].message.contains("#3"), "{report:?}");
    converge(&laptop, &desktop).await;
    assert_eq!(desktop.reads("list.md").as_deref(), Some("eggs, and ham"));
}

#[tokio::test]
async fn commit_in_the_place_of_a_dropped_push_settles_it() {
    let (world, laptop, desktop) =
        unanswered(|laptop| laptop.backend.delay(|verb, path| creates(3)(verb, path))).await;
    drops(&laptop, None).await.unwrap();
    laptop.writes("other.md", "coffee");
    laptop.pushes().await;
    laptop.backend.lets_arrive().await;

    let report = laptop.syncs().await;

    assert_eq!(report.notices, []);
    converge(&laptop, &desktop).await;
    assert_eq!((world.head(), versions(&world, "list.md").len()), (3, 2));
}

#[tokio::test]
async fn push_that_may_have_landed_is_not_dropped_before_it_can_be_asked_for() {
    let (world, laptop, _desktop) = unanswered(lands).await;
    unplug(&laptop);

    let dropped = drops(&laptop, None).await;

    assert!(matches!(dropped, Err(EngineError::SentUnanswered)), "{dropped:?}");
    assert_eq!((ids(&laptop).await.len(), stashed(&laptop).len()), (1, 0));
    round(&laptop).await;
    assert_eq!((world.head(), spool(&laptop)), (3, (0, 0)));
}

#[tokio::test]
async fn push_of_a_project_that_can_not_be_opened_is_dropped_and_never_sent() {
    let refused = |laptop: &Machine| laptop.backend.refuse(|verb, path| creates(3)(verb, path));
    let (world, mut laptop, _desktop) = unanswered(refused).await;
    let waiting = ids(&laptop).await;
    let newest = world.entry(2).unwrap();
    world.lose(&entry_path(2));
    let stopped = laptop.open().await.unwrap_err();
    let stop = ProjectFault {
        class: stopped.class(),
        message: stopped.to_string(),
        hint: None,
        of_backend: false,
    };
    let aside = Project::keep_aside(laptop.spec(), laptop.parts(), &stop).await.unwrap();

    let dropped = aside.drop_queued(None).await.unwrap();

    let unanswered: Vec<_> = dropped.unanswered.iter().map(ToString::to_string).collect();
    assert_eq!((dropped.pushes.len(), unanswered), (1, waiting));
    assert_eq!(stashed(&laptop), [("list.md".to_owned(), "eggs".to_owned())]);
    let refused = aside.run(
        JobRequest { job: push_of(&[]), dry_run: false, consent: false },
        mpsc::channel(8).0,
        Cancel::new(),
    );
    assert!(matches!(refused.await, Err(EngineError::Stopped { .. })));
    aside.close().await;
    world.plant(&entry_path(2), newest);
    laptop.open().await.unwrap();
    rounds(&world, &laptop).await;
    assert_eq!(world.head(), 2, "it was sent");
    laptop.pushes().await;
    assert_eq!(versions(&world, "list.md").last(), digests(&["eggs"]).last());
}
