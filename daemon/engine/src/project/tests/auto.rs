//! Jobs that nobody asked for and nobody can answer (B12, B17).

use std::sync::Mutex;

use super::*;
use crate::error::EngineError;
use crate::outside::{Dirt, Watch};

const QUIET: Duration = Duration::from_secs(2);

fn auto(direction: Direction) -> Auto {
    Auto { direction, quiet: QUIET, overdue: Overdue::Nothing }
}

/// Tells when a path changed last, and that everything may have.
#[derive(Default)]
struct Rest(Mutex<BTreeMap<String, Duration>>);

impl Rest {
    /// The last event told of this path so long ago.
    fn says(&self, path: &str, quiet: Duration) {
        self.0.lock().unwrap().insert(path.to_owned(), quiet);
    }
}

impl Watch for Rest {
    fn add(&self, _folder: Option<&RelPath>) -> bool {
        false
    }

    fn settle(&self, _patience: Duration) -> Dirt {
        Dirt { everything: true, ..Dirt::default() }
    }

    fn peek(&self, patience: Duration) -> Dirt {
        self.settle(patience)
    }

    fn taken_up(&self) {}

    fn taken_up_count(&self) -> u64 {
        0
    }

    fn is_live(&self) -> bool {
        true
    }

    fn quiet_for(&self, path: &RelPath) -> Option<Duration> {
        self.0.lock().unwrap().get(path.as_str()).copied()
    }

    fn on_change(&self, _wake: Box<dyn Fn(&Dirt) + Send + Sync>) {}
}

impl Machine {
    async fn goes_by_itself(&self, direction: Direction) -> Report {
        self.runs(Job::Auto(auto(direction))).await.unwrap()
    }
}

/// Two machines that agree on twelve files, and what tells of the first one's.
async fn story() -> (World, Machine, Machine, Arc<Rest>) {
    let world = World::new().await;
    let mut laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    for number in 0..12 {
        laptop.writes(&format!("{number}.md"), number.to_string());
    }
    converge(&laptop, &desktop).await;
    let rest = Arc::new(Rest::default());
    laptop.watch = Some(rest.clone());
    laptop.open().await.unwrap();
    (world, laptop, desktop, rest)
}

#[tokio::test]
async fn each_direction_does_its_own_and_no_more() {
    let (_world, laptop, desktop, _rest) = story().await;
    desktop.writes("0.md", "desktop");
    desktop.pushes().await;
    laptop.writes("1.md", "laptop");

    let pushed = laptop.goes_by_itself(Direction::Push).await;
    assert!(pushed.commit.is_some() && laptop.reads("0.md").unwrap() == "0");
    laptop.goes_by_itself(Direction::Pull).await;
    assert_eq!(laptop.reads("0.md").unwrap(), "desktop");

    desktop.writes("2.md", "both");
    let both = desktop.goes_by_itself(Direction::Both).await;
    assert!(both.commit.is_some() && desktop.reads("1.md").unwrap() == "laptop");
}

#[tokio::test]
async fn pull_leaves_what_changed_here_as_well() {
    let (_world, laptop, desktop, _rest) = story().await;
    desktop.writes("0.md", "desktop");
    desktop.writes("1.md", "desktop");
    desktop.pushes().await;
    laptop.writes("0.md", "laptop");

    laptop.goes_by_itself(Direction::Pull).await;

    let here = ["0.md", "1.md"].map(|name| laptop.reads(name).unwrap());
    assert_eq!(here, ["laptop", "desktop"]);
}

#[tokio::test]
async fn file_that_moves_waits_and_the_others_go() {
    let (_world, laptop, _desktop, rest) = story().await;
    laptop.writes("0.md", "half");
    laptop.writes("1.md", "whole");
    rest.says("0.md", Duration::from_secs(1));
    rest.says("1.md", Duration::from_secs(3));

    let report = laptop.goes_by_itself(Direction::Push).await;
    assert_eq!(laptop.unsettled().await, [("0.md".to_owned(), FileState::LocalAhead)]);
    assert!(report.left_for_later);

    rest.says("0.md", QUIET);
    let report = laptop.goes_by_itself(Direction::Push).await;
    assert!(!report.left_for_later && laptop.unsettled().await.is_empty());
}

#[tokio::test]
async fn file_that_never_stands_still_goes_in_the_end_and_no_deletion_does() {
    let (_world, laptop, _desktop, rest) = story().await;
    laptop.writes("0.md", "half");
    laptop.removes("1.md");
    for name in ["0.md", "1.md"] {
        rest.says(name, Duration::ZERO);
    }
    let overdue = Overdue::Paths([rel("0.md"), rel("1.md")].into());

    let job = Job::Auto(Auto { overdue, ..auto(Direction::Push) });
    let report = laptop.runs(job).await.unwrap();

    assert_eq!(laptop.unsettled().await, [("1.md".to_owned(), FileState::DeletedLocal)]);
    assert!(report.left_for_later);
}

#[tokio::test]
async fn only_what_was_waited_for_long_enough_goes_although_it_moves() {
    let (_world, laptop, _desktop, rest) = story().await;
    for name in ["0.md", "folder/a.md", "1.md"] {
        laptop.writes(name, "half");
        rest.says(name, Duration::ZERO);
    }
    let overdue = Overdue::Paths([rel("0.md"), rel("folder")].into());

    laptop.runs(Job::Auto(Auto { overdue, ..auto(Direction::Push) })).await.unwrap();

    assert_eq!(laptop.unsettled().await, [("1.md".to_owned(), FileState::LocalAhead)]);
}

/// A log that somebody writes on has nothing to do with it.
#[tokio::test]
async fn deletion_goes_while_a_file_moves_that_others_have() {
    let (_world, laptop, _desktop, rest) = story().await;
    laptop.writes("0.md", "half");
    rest.says("0.md", Duration::ZERO);
    laptop.removes("1.md");
    rest.says("1.md", Duration::from_secs(3));

    laptop.goes_by_itself(Direction::Push).await;

    assert_eq!(laptop.unsettled().await, [("0.md".to_owned(), FileState::LocalAhead)]);
}

/// Half of a move would delete the file for everybody, and bring it again.
#[tokio::test]
async fn move_goes_as_a_whole() {
    let (_world, laptop, _desktop, rest) = story().await;
    fs::rename(laptop.root("0.md"), laptop.root("moved.md")).unwrap();
    rest.says("0.md", Duration::from_secs(3));
    rest.says("moved.md", Duration::from_secs(1));
    let head = laptop.project().head();

    laptop.goes_by_itself(Direction::Push).await;
    assert_eq!(laptop.project().head(), head);

    rest.says("moved.md", Duration::from_secs(4));
    laptop.goes_by_itself(Direction::Push).await;
    let log = laptop.log().await;
    let kinds: Vec<_> = log.last().unwrap().changes.iter().map(|change| change.kind).collect();
    assert!(
        kinds.contains(&ChangeKind::Renamed) && laptop.project().head() == head + 1,
        "{kinds:?}"
    );
}

#[tokio::test]
async fn deletions_that_nobody_agreed_to_wait_and_all_else_goes() {
    let (world, mut laptop, desktop, _rest) = story().await;
    (0..5).for_each(|number| laptop.removes(&format!("{number}.md")));
    laptop.writes("5.md", "edited");

    for _ in 0..2 {
        laptop.goes_by_itself(Direction::Both).await;
        desktop.pulls().await;
        assert_eq!(desktop.reads("5.md").unwrap(), "edited");
        assert_eq!(desktop.files().len(), 12);
        // Neither time nor a restart is consent.
        world.advance(Duration::from_hours(2));
        laptop.open().await.unwrap();
    }
    laptop.goes_by_itself(Direction::Both).await;
    assert_eq!(laptop.unsettled().await.len(), 5);
    let waiting = async |laptop: &Machine| {
        let status = laptop.project().status(false).await.unwrap();
        status.waiting_deletions.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(waiting(&laptop).await, ["0.md", "1.md", "2.md", "3.md", "4.md"]);
    laptop.writes("4.md", "back, and another");
    assert_eq!(waiting(&laptop).await, ["0.md", "1.md", "2.md", "3.md"]);
    laptop.removes("4.md");

    let (events, _) = mpsc::channel(64);
    let request = JobRequest { job: sync(Settle::Wait), dry_run: false, consent: true };
    let report = laptop.project().run(request, events, Cancel::new()).await.unwrap();
    let told = report.notices.iter().filter(|notice| notice.kind == NoticeKind::DeletionsWait);
    assert_eq!(told.count(), 1, "{:?}", report.notices);
    desktop.pulls().await;
    assert_eq!(desktop.files().len(), 7);
}

#[tokio::test]
async fn empty_folder_stops_all_of_it() {
    let (_world, laptop, desktop, _rest) = story().await;
    desktop.writes("0.md", "desktop");
    desktop.pushes().await;
    (0..12).for_each(|number| laptop.removes(&format!("{number}.md")));

    let refused = laptop.runs(Job::Auto(auto(Direction::Both))).await;

    assert!(matches!(refused, Err(EngineError::Consent(_))), "{refused:?}");
    assert!(laptop.files().is_empty());
}

#[tokio::test]
async fn conflict_waits_for_a_person_even_where_it_would_merge_by_now() {
    let (_world, laptop, desktop, _rest) = story().await;
    desktop.writes("0.md", "desktop");
    desktop.pushes().await;
    laptop.writes("0.md", "laptop");
    let report = laptop.goes_by_itself(Direction::Both).await;
    assert_eq!(report.conflicts, [rel("0.md")]);

    laptop.writes("0.md", "0");
    laptop.goes_by_itself(Direction::Both).await;
    assert_eq!(laptop.reads("0.md").unwrap(), "desktop", "an edit taken back is no conflict");
}

#[tokio::test]
async fn what_git_works_on_is_left_alone_both_ways() {
    let (_world, laptop, desktop, _rest) = story().await;
    for name in ["code/a.md", "code/b.md"] {
        laptop.writes(name, name);
    }
    converge(&laptop, &desktop).await;
    desktop.writes("code/a.md", "desktop");
    desktop.writes("0.md", "desktop");
    desktop.pushes().await;
    laptop.writes("code/b.md", "laptop");
    laptop.writes("code/.git/index.lock", "");

    let report = laptop.goes_by_itself(Direction::Both).await;
    assert!(report.left_for_later && report.commit.is_none());
    let here = ["0.md", "code/a.md"].map(|name| laptop.reads(name).unwrap());
    assert_eq!(here, ["desktop", "code/a.md"]);

    laptop.removes("code/.git/index.lock");
    let report = laptop.goes_by_itself(Direction::Both).await;
    assert!(!report.left_for_later && report.commit.is_some());
    assert_eq!(laptop.reads("code/a.md").unwrap(), "desktop");
}

#[tokio::test]
async fn two_formatters_end_after_a_few_turns() {
    let (world, laptop, desktop, _rest) = story().await;
    let head = laptop.project().head();
    for turn in 0..10 {
        for (machine, style) in [(&laptop, "tabs"), (&desktop, "spaces")] {
            machine.goes_by_itself(Direction::Pull).await;
            if !machine.reads("0.md").unwrap().starts_with(style) {
                machine.writes("0.md", format!("{style} {turn}"));
            }
            machine.goes_by_itself(Direction::Both).await;
            world.advance(Duration::from_secs(20));
        }
    }
    assert_eq!(laptop.project().head() - head, 6);
    let told = laptop.pushes().await.notices;
    assert!(told.iter().any(|notice| notice.kind == NoticeKind::LeftAlone), "{told:?}");
}

#[tokio::test]
async fn commits_of_many_files_that_take_turns_are_read_once() {
    let (world, laptop, desktop, _rest) = story().await;
    let change = |machine: &Machine, turn: usize| {
        for number in 0..60 {
            machine.writes(&format!("many/{number}.md"), format!("{number} {turn}"));
        }
    };
    for turn in 0..6 {
        let machine = if turn % 2 == 0 { &laptop } else { &desktop };
        machine.pulls().await;
        change(machine, turn);
        machine.pushes().await;
        world.advance(Duration::from_secs(20));
    }
    laptop.pulls().await;
    change(&laptop, 6);
    let before = laptop.room.looks();

    let report = laptop.goes_by_itself(Direction::Push).await;

    let told = report.notices.iter().filter(|notice| notice.kind == NoticeKind::LeftAlone);
    assert_eq!(told.count(), 60);
    let looks = laptop.room.looks() - before;
    assert!(looks < 60, "{looks} looks for 60 files");
}

#[tokio::test]
async fn turns_of_days_and_turns_of_one_machine_are_no_race() {
    let (world, laptop, desktop, _rest) = story().await;
    let head = laptop.project().head();
    for turn in 0..5 {
        for machine in [&laptop, &desktop] {
            machine.goes_by_itself(Direction::Pull).await;
            machine.writes("0.md", format!("{} {turn}", machine.author.machine));
            machine.goes_by_itself(Direction::Both).await;
            world.advance(Duration::from_mins(3));
        }
    }
    assert_eq!(desktop.project().head() - head, 10);
    laptop.goes_by_itself(Direction::Pull).await;
    for turn in 0..10 {
        laptop.writes("0.md", format!("alone {turn}"));
        laptop.goes_by_itself(Direction::Both).await;
    }
    assert_eq!(laptop.project().head() - head, 20);
}

#[tokio::test]
async fn what_it_has_to_say_waits_for_who_reads_it() {
    let (_world, laptop, desktop, _rest) = story().await;
    desktop.writes("0.md", "desktop");
    desktop.pushes().await;
    laptop.removes("0.md");
    laptop.goes_by_itself(Direction::Both).await;

    let told = laptop.pulls().await.notices;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].kind, NoticeKind::EditBeatDeletion);
}

#[tokio::test]
async fn nothing_is_queued_while_the_backend_is_away() {
    let (_world, laptop, desktop, _rest) = story().await;
    laptop.writes("0.md", "laptop");
    laptop.backend.refuse(|_, _| true);
    laptop.runs(Job::Auto(auto(Direction::Both))).await.unwrap_err();
    assert_eq!(laptop.project().queue().await.unwrap().pushes.len(), 0);

    laptop.backend.refuse(|_, _| false);
    laptop.goes_by_itself(Direction::Both).await;
    desktop.pulls().await;
    assert_eq!(desktop.reads("0.md").unwrap(), "laptop");
}
