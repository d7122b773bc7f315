//! A name that exists is that file alone, whatever letters it is made of.

use super::*;

/// Files whose names are globs that match each other, known to both sides.
async fn story() -> (World, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    for name in ["[a].md", "a.md", "app/[slug]/page.md", "app/s/page.md", "{x,y}", "x", "k.md"] {
        laptop.writes(name, "old");
    }
    for number in 0..9 {
        laptop.writes(&format!("other/{number}"), "old");
    }
    laptop.pushes().await;
    (world, laptop)
}

fn scope(name: &str) -> Scope {
    Scope { names: vec![name.to_owned()] }
}

fn delete(name: &str) -> Job {
    Job::Delete { scope: scope(name), keep_local: false, message: None }
}

fn paths(report: &Report) -> BTreeSet<&str> {
    report.files.iter().map(|file| file.path.as_str()).collect()
}

#[tokio::test]
async fn deletion_takes_the_file_of_that_name_alone() {
    let (world, laptop) = story().await;
    for name in ["[a].md", "app/[slug]/page.md", "{x,y}"] {
        let report = laptop.runs(delete(name)).await.unwrap();
        assert_eq!(paths(&report), [name].into());
    }
    for name in ["a.md", "app/s/page.md", "x"] {
        assert!(laptop.reads(name).is_some() && world.text(name).is_some(), "{name}");
    }
    assert!(laptop.runs(delete("app/[slug]/page.md")).await.is_err(), "it is known, and gone");
}

#[tokio::test]
async fn each_command_means_the_file_of_that_name_alone() {
    let (_world, laptop) = story().await;
    for name in ["[a].md", "a.md"] {
        laptop.writes(name, "new");
    }
    let diff = laptop.project().diff(scope("[a].md"), 3).await.unwrap();
    assert_eq!(diff.iter().map(|diff| diff.path.as_str()).collect::<Vec<_>>(), ["[a].md"]);
    let pushed = laptop.tries_push(&["[a].md"]).await.unwrap();
    assert_eq!(paths(&pushed), ["[a].md"].into());
    let log = LogQuery { path: Some("[a].md".to_owned()), ..LogQuery::default() };
    assert_eq!(laptop.project().log(log).await.unwrap().commits.len(), 2);
    laptop.writes("[a].md", "newer");
    let restore = Job::Restore { scope: scope("[a].md"), from: None, output: None };
    assert_eq!(paths(&laptop.runs(restore).await.unwrap()), ["[a].md"].into());
    assert_eq!(laptop.reads("a.md").as_deref(), Some("new"));
}

#[tokio::test]
async fn name_that_only_the_head_has_exists() {
    let (world, laptop) = story().await;
    let desktop = world.machine("desktop").await;
    desktop.pulls().await;
    for name in ["[k].md", "k.md"] {
        laptop.writes(name, "new");
    }
    laptop.pushes().await;

    let report = desktop.runs(Job::Pull { scope: scope("[k].md") }).await.unwrap();

    assert_eq!(paths(&report), ["[k].md"].into());
    assert_eq!(desktop.reads("k.md").as_deref(), Some("old"));
}

#[tokio::test]
async fn queued_push_sends_the_file_of_that_name_alone() {
    let (world, laptop) = story().await;
    laptop.writes("[a].md", "new");
    laptop.backend.refuse(|_, _| true);
    assert!(laptop.tries_push(&["[a].md"]).await.unwrap().queued);
    laptop.writes("a.md", "not to be sent");
    laptop.backend.plug_in();
    laptop.tries_push(&["k.md"]).await.unwrap();

    assert_eq!(world.text("[a].md").as_deref(), Some("new"));
    assert_eq!(world.text("a.md").as_deref(), Some("old"));
}

#[tokio::test]
async fn name_that_does_not_exist_is_a_glob() {
    let (_world, laptop) = story().await;
    let report = laptop.runs(delete("[ak].md")).await.unwrap();
    assert_eq!(paths(&report), ["a.md", "k.md"].into());
}
