//! What a project tells of by itself: hints for those who listen, and notices in
//! a journal for those who come later (S7).

use super::*;
use crate::project::tests::outside_edits::agreed;

/// The hints that have come so far.
fn heard(events: &mut tokio::sync::broadcast::Receiver<ProjectEvent>) -> Vec<Happening> {
    std::iter::from_fn(|| events.try_recv().ok())
        .map(|event| {
            assert_eq!(event.backend, "memory");
            event.happening
        })
        .collect()
}

#[tokio::test]
async fn commits_are_told_once_to_everybody_also_those_of_others() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    let (mut one, mut other) = (laptop.project().events(), laptop.project().events());
    laptop.writes("a.md", "milk");
    laptop.pushes().await;
    desktop.syncs().await;
    desktop.writes("b.md", "tea");
    desktop.pushes().await;
    laptop.pulls().await;

    let commits = [2, 3].map(|seq| Happening::Commit { seq });
    assert_eq!(heard(&mut one), commits);
    assert_eq!(heard(&mut other), commits);
}

#[tokio::test]
async fn backend_that_fails_and_a_project_that_ends_are_told() {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    let mut events = laptop.project().events();
    laptop.backend.refuse(|_, _| true);
    laptop.tries_pull().await.unwrap_err();
    assert!(matches!(&heard(&mut events)[..], [Happening::Fault { fault }]
        if fault.class == mirror_storage::FaultClass::Transient));
    laptop.project.take().unwrap().close().await;
    assert_eq!(heard(&mut events), [Happening::Closed]);
}

/// A notice of the daemon's own round is said by the next report, by one only,
/// and also after a restart.
#[tokio::test]
async fn notice_of_a_round_waits_for_the_next_report_also_over_a_restart() {
    for restarts in [false, true] {
        let (world, mut laptop, _) = agreed(MemoryProfile::RENAME).await;
        // The log has it as an older version, and this machine saw a newer one.
        laptop.writes("a.md", "newer\n");
        laptop.pushes().await;
        let first = world.commit(2).changes[0].to.clone().unwrap().sha256;
        let older = crate::project::tests::merging::packed(&world, first).unwrap();
        world.advance(Duration::from_secs(10));
        world.plant("a.md", older);
        let mut events = laptop.project().events();
        for _ in 0..3 {
            world.advance(Duration::from_secs(700));
            laptop.project().poll().await.unwrap();
        }
        let hints = heard(&mut events);
        let notices = hints.iter().filter(|hint| matches!(hint, Happening::Notice { .. })).count();
        assert_eq!(notices, 1, "{hints:?}");
        if restarts {
            laptop.open().await.unwrap();
        }

        let kinds = |report: &Report| -> Vec<NoticeKind> {
            report.notices.iter().map(|notice| notice.kind).collect()
        };
        assert_eq!(kinds(&laptop.pulls().await), [NoticeKind::ViewReverted]);
        assert_eq!(kinds(&laptop.pulls().await), []);
        laptop.open().await.unwrap();
        assert_eq!(kinds(&laptop.pulls().await), []);
        let kept = fs::read_dir(laptop.root("../data/notices")).unwrap().count();
        assert_eq!(kept, 2, "the journal keeps it, and how far it was told");
    }
}
