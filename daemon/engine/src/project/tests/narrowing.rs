//! What leaves the patterns is deleted nowhere; what comes back is found again.

use super::*;

async fn story() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for name in ["a.md", "logs/one.log", "logs/two.log"] {
        laptop.writes(name, "old");
    }
    converge(&laptop, &desktop).await;
    (world, laptop, desktop)
}

fn all() -> BTreeSet<String> {
    ["a.md", "logs/one.log", "logs/two.log"].map(str::to_owned).into()
}

fn narrow() -> Patterns {
    Patterns { include: vec!["**/*".to_owned()], exclude: vec!["logs".to_owned()] }
}

fn without_ignore_file(files: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    files.into_iter().filter(|name| name != ".mirrorignore").collect()
}

#[tokio::test]
async fn narrowing_one_machine_deletes_nothing_anywhere() {
    let (world, laptop, mut desktop) = story().await;
    desktop.narrowing = Some(narrow());
    desktop.open().await.unwrap();
    desktop.syncs().await;
    // Absent while it isn't covered: that says nothing.
    desktop.removes("logs/one.log");
    desktop.writes("logs/two.log", "edited while narrow");
    desktop.syncs().await;
    laptop.writes("logs/two.log", "newer");
    laptop.syncs().await;
    assert_eq!(laptop.files().into_keys().collect::<BTreeSet<_>>(), all());
    assert_eq!(world.names(""), all());

    desktop.narrowing = None;
    desktop.open().await.unwrap();
    let report = desktop.syncs().await;

    assert_eq!(report.conflicts, [rel("logs/two.log")]);
    assert_eq!(desktop.reads("logs/one.log").as_deref(), Some("old"));
    assert_eq!(desktop.reads("logs/two.log").as_deref(), Some("edited while narrow"));
    assert_eq!(laptop.syncs().await.files, []);
}

#[tokio::test]
async fn widening_adopts_equal_files_and_fetches_newer_ones() {
    let (_world, laptop, mut desktop) = story().await;
    desktop.narrowing = Some(narrow());
    desktop.open().await.unwrap();
    desktop.syncs().await;
    laptop.writes("logs/two.log", "newer");
    laptop.writes("logs/three.log", "new");
    laptop.pushes().await;
    desktop.narrowing = None;
    desktop.open().await.unwrap();

    desktop.pulls().await;

    assert_eq!(desktop.files(), laptop.files());
    assert_eq!(desktop.unsettled().await, []);
}

#[tokio::test]
async fn ignoring_a_folder_deletes_nothing_anywhere() {
    let (world, laptop, desktop) = story().await;
    laptop.writes(".mirrorignore", "logs/\n");
    converge(&laptop, &desktop).await;
    laptop.removes("logs/one.log");
    laptop.writes("logs/two.log", "edited while ignored");
    for machine in [&laptop, &desktop, &laptop] {
        machine.syncs().await;
    }
    assert_eq!(without_ignore_file(desktop.files().into_keys()), all());
    assert_eq!(without_ignore_file(world.names("")), all());

    laptop.removes(".mirrorignore");
    let report = laptop.syncs().await;

    // The edit was made while its base was out of sight.
    assert_eq!(report.conflicts, [rel("logs/two.log")]);
    assert_eq!(laptop.reads("logs/one.log").as_deref(), Some("old"));
    assert_eq!(laptop.reads("logs/two.log").as_deref(), Some("edited while ignored"));
}

#[tokio::test]
async fn narrowing_the_project_deletes_nothing_anywhere() {
    let (world, laptop, desktop) = story().await;
    let settings = |patterns| SharedSettings::new("notes", patterns);
    laptop.runs(Job::ChangeSettings { settings: settings(narrow()) }).await.unwrap();
    for machine in [&laptop, &desktop, &laptop] {
        machine.syncs().await;
    }
    desktop.removes("logs/one.log");
    for machine in [&desktop, &laptop] {
        machine.syncs().await;
    }
    assert_eq!(laptop.files().into_keys().collect::<BTreeSet<_>>(), all());
    assert_eq!(world.names(""), all());

    let wide = Patterns { include: vec!["**/*".to_owned()], exclude: vec![] };
    desktop.runs(Job::ChangeSettings { settings: settings(wide) }).await.unwrap();
    converge(&desktop, &laptop).await;
    assert_eq!(desktop.files().into_keys().collect::<BTreeSet<_>>(), all());
}
