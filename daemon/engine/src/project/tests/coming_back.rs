//! A folder that was empty or away, and comes back file by file: what is not there yet
//! was not deleted (B12).

use super::*;
use crate::error::EngineError;

async fn story() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for number in 0..30 {
        laptop.writes(&format!("{number}.md"), number.to_string());
    }
    converge(&laptop, &desktop).await;
    (world, laptop, desktop)
}

fn auto() -> Auto {
    let quiet = Duration::from_secs(2);
    Auto { direction: Direction::Both, quiet, overdue: Overdue::Nothing }
}

fn by_itself() -> Job {
    Job::Auto(auto())
}

fn empties(laptop: &Machine) {
    (0..30).for_each(|number| laptop.removes(&format!("{number}.md")));
}

fn brings_back(laptop: &Machine, numbers: std::ops::Range<usize>) {
    numbers.for_each(|number| laptop.writes(&format!("{number}.md"), number.to_string()));
}

async fn waiting(laptop: &Machine) -> usize {
    laptop.project().status(false).await.unwrap().waiting_deletions.len()
}

#[tokio::test]
async fn what_goes_by_itself_deletes_nothing_that_is_still_on_its_way_back() {
    let (world, laptop, desktop) = story().await;
    empties(&laptop);
    let refused = laptop.runs(by_itself()).await;
    assert!(matches!(refused, Err(EngineError::Consent(_))), "{refused:?}");
    assert_eq!(waiting(&laptop).await, 30, "and status says so");
    assert_eq!(laptop.runs(by_itself()).await.unwrap().commit, None);
    brings_back(&laptop, 0..24);

    for _ in 0..2 {
        world.advance(Duration::from_hours(2));
        let report = laptop.runs(by_itself()).await.unwrap();
        assert_eq!(report.commit, None);
        desktop.pulls().await;
        assert_eq!((desktop.files().len(), waiting(&laptop).await), (30, 6));
    }

    laptop.writes("0.md", "an edit");
    assert!(laptop.runs(by_itself()).await.unwrap().commit.is_some(), "the rest goes on");
    brings_back(&laptop, 24..30);
    laptop.runs(by_itself()).await.unwrap();
    assert_eq!(waiting(&laptop).await, 0);
    laptop.removes("29.md");
    laptop.runs(by_itself()).await.unwrap();
    desktop.pulls().await;
    assert_eq!(desktop.files().len(), 29, "one that is deleted later is deleted");
}

#[tokio::test]
async fn sync_that_nobody_answers_deletes_nothing_that_is_still_on_its_way_back() {
    let (_world, mut laptop, desktop) = story().await;
    empties(&laptop);
    laptop.tries_sync().await.unwrap_err();
    brings_back(&laptop, 0..24);

    for _ in 0..2 {
        let refused = laptop.tries_sync().await;
        let Err(EngineError::Consent(asked)) = refused else { panic!("{refused:?}") };
        assert_eq!(asked.count, 6);
        laptop.open().await.unwrap();
    }
    desktop.pulls().await;
    assert_eq!(desktop.files().len(), 30);

    // A job that sends nothing says nothing of them.
    let pull = Auto { direction: Direction::Pull, ..auto() };
    laptop.runs(Job::Auto(pull)).await.unwrap();
    assert_eq!(waiting(&laptop).await, 6);

    let (events, _) = mpsc::channel(64);
    let request = JobRequest { job: sync(Settle::Wait), dry_run: false, consent: true };
    laptop.project().run(request, events, Cancel::new()).await.unwrap();
    desktop.pulls().await;
    assert_eq!((desktop.files().len(), waiting(&laptop).await), (24, 0));

    laptop.removes("0.md");
    assert!(laptop.syncs().await.commit.is_some(), "what came back is a file like any other");
}

#[tokio::test]
async fn folder_that_was_missing_is_no_better_than_an_empty_one() {
    let (_world, laptop, desktop) = story().await;
    let (root, away) = (laptop.root(""), laptop.home.path().join("away"));
    fs::rename(&root, &away).unwrap();
    laptop.runs(by_itself()).await.unwrap_err();
    fs::create_dir(&root).unwrap();
    brings_back(&laptop, 0..27);

    let report = laptop.runs(by_itself()).await;

    assert!(report.is_ok_and(|report| report.commit.is_none()));
    desktop.pulls().await;
    assert_eq!(desktop.files().len(), 30);
}
