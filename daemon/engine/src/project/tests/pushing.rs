//! What a push costs, and that it is one commit.

use super::faulty::Call;
use super::*;

/// Longer than anything a machine does between two calls, so that calls that
/// do not wait for each other are seen side by side.
const LATENCY: Duration = Duration::from_millis(250);

/// Pushes, and gives the calls that had ended when it said `Committed`.
async fn calls_until_committed(laptop: &Machine) -> Vec<Call> {
    laptop.backend.begin_story(None);
    let (events, mut heard) = mpsc::channel(64);
    let job =
        Job::Push { scope: Scope::default(), message: None, force_local: false, no_wait: true };
    let request = JobRequest { job, dry_run: false, consent: false };
    let listening = async {
        while let Some(event) = heard.recv().await {
            if matches!(event, JobEvent::Committed { .. }) {
                return laptop.backend.ended();
            }
        }
        panic!("nothing was committed");
    };
    let (report, calls) =
        futures::join!(laptop.project().run(request, events, Cancel::new()), listening);
    assert_eq!(failed(&report.unwrap()), [""; 0]);
    calls
}

#[tokio::test]
async fn push_takes_five_calls_in_four_steps_whatever_the_number_of_files() {
    for count in [1_u32, 500, 2_000] {
        let world = World::new().await;
        let laptop = world.machine("laptop").await;
        for number in 0..count {
            laptop.writes(&format!("notes/{}/{number}.md", number % 7), format!("note {number}"));
        }
        // Packing many takes longer on a busy machine.
        laptop.backend.set_latency(LATENCY * (1 + count / 400));

        let calls = calls_until_committed(&laptop).await;

        assert!(calls.len() <= 5, "{count} files: {calls:?}");
        let steps = calls.iter().map(|call| call.depth).max();
        assert!(steps <= Some(4), "{count} files: {calls:?}");
        assert_eq!(world.commit(2).changes.len(), count as usize);
    }
}

/// What was written there is known by its revision, and its bytes decide only
/// once it is aside, while the new file is written.
#[tokio::test]
async fn file_of_the_view_is_replaced_in_four_steps() {
    let world = World::on(MemoryProfile::RENAME).await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.pushes().await;
    laptop.writes("a.md", "bread");
    laptop.backend.begin_story(None);
    laptop.backend.set_latency(LATENCY);

    laptop.pushes().await;

    let calls = laptop.backend.ended();
    let (first, last) = (calls[0].depth, calls.iter().map(|call| call.depth).max());
    assert_eq!(calls.iter().filter(|call| call.path == "a.md").count(), 3, "{calls:?}");
    // Until it is safe, there, and the head once more.
    assert_eq!(last.map(|last| last + 1 - first), Some(4 + 4 + 1), "{calls:?}");
    assert_eq!(world.text("a.md").as_deref(), Some("bread"));
    assert_eq!(world.names("_mirror/aside"), BTreeSet::new());
}

/// What it is, what is new, and what this machine said last.
#[tokio::test]
async fn known_project_is_opened_in_one_step() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.pushes().await;
    laptop.backend.begin_story(None);
    laptop.backend.set_latency(LATENCY);

    laptop.open().await.unwrap();

    let calls = laptop.backend.ended();
    assert_eq!(calls.iter().map(|call| call.depth).max(), Some(1), "{calls:?}");
}

#[tokio::test]
async fn quiet_project_costs_one_small_call_to_look_at() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.pushes().await;
    laptop.project().poll().await.unwrap();
    laptop.backend.begin_story(None);

    laptop.project().poll().await.unwrap();

    let calls = laptop.backend.ended();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!((calls[0].verb, &calls[0].path), ("read", &entry_path(3)));

    // A person who asks is told whether the head itself still stands, too.
    laptop.backend.begin_story(None);
    laptop.project().status(false).await.unwrap();
    let calls = laptop.backend.ended();
    let asked: BTreeSet<_> = calls.iter().map(|call| (call.verb, call.path.clone())).collect();
    assert_eq!(asked, [("read", entry_path(2)), ("read", entry_path(3))].into());
    assert!(calls.iter().all(|call| call.depth == 1), "{calls:?}");
}

#[tokio::test]
async fn push_of_nothing_makes_no_commit() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    assert_eq!(laptop.pushes().await.commit, None);
    laptop.writes("a.md", "milk");
    assert_eq!(laptop.pushes().await.commit.map(|(seq, _)| seq), Some(2));
    assert_eq!(laptop.pushes().await.commit, None);
    assert_eq!(world.head(), 2);
}

#[tokio::test]
async fn what_one_machine_pushed_another_pulls_at_once() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("notes/a.md", "milk");
    laptop.writes("b.bin", [0, 159, 146, 150]);
    laptop.pushes().await;

    let report = desktop.pulls().await;

    assert_eq!(report.files.len(), 2);
    assert_eq!(desktop.files(), laptop.files());
    assert_eq!(desktop.unsettled().await, []);
}

#[tokio::test]
async fn path_changed_on_both_sides_stays_out_of_the_commit() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    laptop.writes("a.md", "milk");
    converge(&laptop, &desktop).await;
    laptop.writes("a.md", "bread");
    laptop.pushes().await;
    desktop.writes("a.md", "tea");
    desktop.writes("b.md", "sugar");

    let report = desktop.pushes().await;

    assert_eq!(report.conflicts, [rel("a.md")]);
    let changed: Vec<_> = world.commit(4).changes.iter().map(|c| c.path.clone()).collect();
    assert_eq!(changed, [rel("b.md")]);
    assert_eq!(desktop.reads("a.md").as_deref(), Some("tea"));
}
