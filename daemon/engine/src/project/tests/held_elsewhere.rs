//! Other ways by which a version could come here that nobody agreed to (B16).

use super::held::{SKILL, accepts, held, list, story};
use super::queueing::{queues, unplug};
use super::*;

#[tokio::test]
async fn hostile_commit_in_the_name_of_this_machine_is_held() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("notes.md", "hostile\n");
    laptop.pushes().await;
    let evil = world.commit(3).changes[0].to.clone();
    let mut commit = world.draft();
    commit.machine_id = desktop.author.machine_id;
    commit.changes = vec![mirror_core::commit::Change {
        path: rel(SKILL),
        from: Some(Digest::of(b"one\n")),
        to: evil,
        renamed_from: None,
    }];
    world.append(&commit);

    assert_eq!(held(&desktop.syncs().await), [SKILL]);

    assert_eq!(desktop.reads(SKILL).as_deref(), Some("one\n"));
}

#[tokio::test]
async fn edit_of_the_view_is_held_by_whoever_imports_it() {
    let (world, laptop, desktop) = story().await;
    world.plant(SKILL, "from the view\n");

    for machine in [&desktop, &laptop] {
        assert_eq!(held(&machine.syncs().await), [SKILL]);
        assert_eq!(machine.reads(SKILL).as_deref(), Some("one\n"));
    }
    accepts(&desktop, &[SKILL]).await;
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("from the view\n"));
}

#[tokio::test]
async fn what_is_restored_with_everything_else_is_held_and_comes_by_name() {
    let (_world, laptop, desktop) = story().await;
    laptop.writes(SKILL, "two\n");
    laptop.pushes().await;
    laptop.writes(SKILL, "three\n");
    laptop.pushes().await;
    desktop.pulls().await;
    let restore = |names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        Job::Restore { scope: Scope { names }, from: Some(3), output: None }
    };

    let report = desktop.runs(restore(&[])).await.unwrap();

    assert_eq!((held(&report), failed(&report)), (vec![SKILL], vec![]));
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("one\n"));
    desktop.runs(restore(&[SKILL])).await.unwrap();
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("two\n"));
}

#[tokio::test]
async fn queued_version_is_not_merged_with_what_is_held() {
    let (world, laptop, desktop) = story().await;
    unplug(&desktop);
    desktop.writes(SKILL, "first\n\none\n");
    queues(&desktop).await;
    laptop.writes(SKILL, "one\n\nlast\n");
    laptop.pushes().await;
    desktop.backend.plug_in();
    world.advance(Duration::from_hours(1));

    let report = desktop.syncs().await;

    assert_eq!(report.conflicts, [rel(SKILL)]);
    assert_eq!(desktop.reads(SKILL).as_deref(), Some("first\n\none\n"));
    assert_eq!(world.text(SKILL).as_deref(), Some("one\n\nlast\n"));
}

#[tokio::test]
async fn who_nobody_asks_is_told_once_of_each_version() {
    let (_world, laptop, desktop) = story().await;
    let auto =
        Auto { direction: Direction::Both, quiet: Duration::ZERO, overdue: Overdue::Everything };
    let told = async || {
        desktop.runs(Job::Auto(auto.clone())).await.unwrap();
        desktop.runs(Job::Auto(auto.clone())).await.unwrap();
        let report = desktop.syncs().await;
        report.notices.iter().filter(|notice| notice.kind == NoticeKind::Held).count()
    };
    for text in ["two\n", "three\n"] {
        laptop.writes(SKILL, text);
        laptop.pushes().await;
        assert_eq!(told().await, 1);
        assert_eq!(told().await, 0);
    }
    assert_eq!(list(&desktop).await.len(), 1);
}

#[tokio::test]
async fn rules_beside_what_is_held_come_all_the_same() {
    let world = World::with(MemoryProfile::SWAP, {
        SharedSettings { gitignore: true, ..settings(&["**/*"]) }
    })
    .await;
    let (laptop, desktop) = (world.machine("laptop").await, world.machine("desktop").await);
    laptop.writes(SKILL, "one\n");
    laptop.writes(".claude/skills/.gitignore", "*.log\n");
    laptop.pushes().await;
    desktop.writes(".claude/skills/a.log", "noise\n");

    assert_eq!(held(&desktop.syncs().await), [SKILL]);

    assert_eq!(world.text(".claude/skills/a.log"), None);
    assert!(desktop.reads(".claude/skills/.gitignore").is_some());
}

#[tokio::test]
async fn renamed_skill_is_held_under_its_new_name() {
    let (_world, laptop, desktop) = story().await;
    laptop.removes(SKILL);
    laptop.writes(".claude/skills/ship/SKILL.md", "one\n");
    laptop.pushes().await;

    assert_eq!(held(&desktop.syncs().await), [".claude/skills/ship/SKILL.md"]);

    assert_eq!(desktop.reads(SKILL), None);
    accepts(&desktop, &[]).await;
    converge(&laptop, &desktop).await;
}
