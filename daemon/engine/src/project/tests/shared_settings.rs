//! Settings in the log that this version only carries, or can't carry out.

use mirror_core::commit::{Action, Commit, MergeRule, NamedBackend};

use super::*;

/// A project that other versions gave settings of theirs.
async fn story() -> (World, Machine, Machine) {
    let world = World::new().await;
    let (laptop, desktop) = (world.machine("laptop").await, world.machine("desktop").await);
    let mut settings = settings(&["**/*.md"]);
    settings.preset = Some("agents-md".to_owned());
    settings.merge = vec![MergeRule { glob: "MEMORY.md".to_owned(), how: "by-taste".to_owned() }];
    let url = "sftp://nas/notes".to_owned();
    settings.backends = vec![NamedBackend { name: "nas".to_owned(), url, primary: true }];
    settings.other.insert("tea".to_owned(), serde_json::json!({"milk": [true, 1]}));
    world.append(&Commit { settings: Some(settings), action: Action::Settings, ..world.draft() });
    (world, laptop, desktop)
}

#[tokio::test]
async fn settings_of_a_later_version_outlive_a_change_by_this_one() {
    let (world, laptop, _) = story().await;
    laptop.pulls().await;
    let before = laptop.project().settings().await.unwrap();

    let mut wide = before.clone();
    wide.patterns = vec!["**/*".to_owned()];
    laptop.runs(Job::ChangeSettings { settings: wide.clone() }).await.unwrap();

    let after = world.commit(world.head()).settings.unwrap();
    assert_eq!(after, wide);
    assert_eq!((after.other, after.merge), (before.other, before.merge));
}

#[tokio::test]
async fn what_the_settings_want_merged_otherwise_waits_for_a_person() {
    let (_world, laptop, desktop) = story().await;
    for path in ["MEMORY.md", "other.md"] {
        laptop.writes(path, "one\ntwo\nthree\nfour\nfive\n");
    }
    converge(&laptop, &desktop).await;
    for path in ["MEMORY.md", "other.md"] {
        laptop.writes(path, "ONE\ntwo\nthree\nfour\nfive\n");
        desktop.writes(path, "one\ntwo\nthree\nfour\nFIVE\n");
    }
    laptop.pushes().await;

    let report = desktop.syncs().await;

    assert_eq!(report.conflicts, [rel("MEMORY.md")]);
    assert_eq!(desktop.reads("MEMORY.md").as_deref(), Some("one\ntwo\nthree\nfour\nFIVE\n"));
    assert_eq!(desktop.reads("other.md").as_deref(), Some("ONE\ntwo\nthree\nfour\nFIVE\n"));
}
