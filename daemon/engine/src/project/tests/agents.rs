//! What sessions of agents are told, and when their bell rings (S7, S8).

use mirror_core::readers::{Event, EventKind};

use super::*;

/// A session of an agent on one machine, whose hooks all work.
struct Session<'a> {
    machine: &'a Machine,
    id: &'static str,
    wake: Wake,
}

impl<'a> Session<'a> {
    fn on(machine: &'a Machine) -> Self {
        Self { machine, id: "one", wake: Wake::Off }
    }

    fn heard(&self, kind: EventKind, files: &[&str]) -> Heard {
        Heard {
            session: self.id.to_owned(),
            event: Event { kind, occasion: None, process: None, has_steps: true },
            is_here: true,
            files: files.iter().map(|path| rel(path)).collect(),
            is_write: kind == EventKind::AfterTool,
            is_bell: kind == EventKind::Other,
            shows_hints: self.wake == Wake::Off,
            wake: self.wake,
        }
    }

    async fn hears(&self, kind: EventKind, files: &[&str]) -> Told {
        self.machine.project().hear(&self.heard(kind, files)).await.unwrap()
    }

    /// What is printed of an event.
    async fn prints(&self, kind: EventKind, files: &[&str]) -> Told {
        let told = self.hears(kind, files).await;
        if let Some(batch) = told.batch {
            self.machine.project().printed(self.id, batch).await.unwrap();
        }
        told
    }

    async fn commits(&self, kind: EventKind) -> Vec<u64> {
        commits(&self.prints(kind, &[]).await)
    }
}

fn commits(told: &Told) -> Vec<u64> {
    told.commits.iter().map(|told| told.commit.seq).collect()
}

fn files(told: &Told) -> Vec<(&str, FileNews)> {
    told.files.iter().map(|file| (file.path.as_str(), file.what)).collect()
}

/// What is said of one file before a tool uses it.
async fn before(session: &Session<'_>, path: &str) -> Vec<FileNews> {
    let told = session.prints(EventKind::BeforeTool, &[path]).await;
    told.files.iter().map(|file| file.what).collect()
}

async fn changes(machine: &Machine, path: &str, content: &str) {
    machine.writes(path, content);
    machine.pushes().await;
}

/// Both have the same files, and the laptop has read all commits.
async fn two() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let desktop = world.machine("desktop").await;
    changes(&laptop, "a.md", "milk\n").await;
    desktop.syncs().await;
    laptop.syncs().await;
    (world, laptop, desktop)
}

/// Another machine's commit, which this one knows of.
async fn news(laptop: &Machine, desktop: &Machine, path: &str, content: &str) {
    changes(desktop, path, content).await;
    laptop.project().poll().await.unwrap();
}

fn bell(machine: &Machine) -> Option<String> {
    fs::read_to_string(machine.root("../data/bell/count")).ok()
}

#[tokio::test]
async fn session_hears_of_others_commits_once_whatever_tells_it() {
    let (_world, laptop, desktop) = two().await;
    let session = Session::on(&laptop);
    assert_eq!(session.commits(EventKind::Start).await, Vec::<u64>::new(), "nothing but its own");
    changes(&laptop, "own.md", "mine").await;
    desktop.syncs().await;
    assert_eq!(session.commits(EventKind::Prompt).await, Vec::<u64>::new());

    news(&laptop, &desktop, "a.md", "tea\n").await;
    for silent in [EventKind::BeforeTool, EventKind::AfterTool, EventKind::Stop, EventKind::End] {
        assert_eq!(session.commits(silent).await, Vec::<u64>::new(), "{silent:?}");
    }
    let told = session.prints(EventKind::AfterTools, &[]).await;
    assert_eq!(commits(&told), [4]);
    assert_eq!(told.commits[0].not_here, ["a.md".to_owned()].into());
    laptop.pulls().await;
    news(&laptop, &desktop, "b.md", "bread\n").await;
    laptop.pulls().await;
    let told = session.prints(EventKind::Prompt, &[]).await;
    assert_eq!((commits(&told), told.commits[0].not_here.len()), (vec![5], 0));
    assert_eq!(session.commits(EventKind::AfterTools).await, Vec::<u64>::new());
}

#[tokio::test]
async fn what_was_handed_out_and_not_printed_is_told_again_also_after_a_restart() {
    let (_world, mut laptop, desktop) = two().await;
    let heard = {
        let session = Session::on(&laptop);
        session.commits(EventKind::Start).await;
        news(&laptop, &desktop, "a.md", "tea\n").await;
        assert_eq!(commits(&session.hears(EventKind::Prompt, &[]).await), [3]);
        session.heard(EventKind::AfterTools, &[])
    };
    laptop.open().await.unwrap();
    let told = laptop.project().hear(&heard).await.unwrap();
    assert_eq!(commits(&told), [3], "the daemon died with the hook");
    laptop.project().give_back("one", told.batch.unwrap()).await.unwrap();
    let told = laptop.project().hear(&heard).await.unwrap();
    assert_eq!(commits(&told), [3], "the hook died alone");
    laptop.project().printed("one", told.batch.unwrap()).await.unwrap();
    laptop.open().await.unwrap();
    assert_eq!(commits(&laptop.project().hear(&heard).await.unwrap()), Vec::<u64>::new());
}

#[tokio::test]
async fn two_hooks_of_one_event_are_told_once() {
    let (_world, laptop, desktop) = two().await;
    let session = Session::on(&laptop);
    session.commits(EventKind::Start).await;
    news(&laptop, &desktop, "a.md", "tea\n").await;

    let one = session.hears(EventKind::Prompt, &[]).await;
    let other = session.hears(EventKind::Prompt, &[]).await;

    assert_eq!((commits(&one), commits(&other)), (vec![3], vec![]));
}

/// A session seen first begins where others stopped, and with what is not here yet.
#[tokio::test]
async fn new_session_begins_after_the_newest_that_a_model_has_seen() {
    let (_world, laptop, desktop) = two().await;
    news(&laptop, &desktop, "early.md", "not fetched\n").await;
    let first = Session::on(&laptop);
    assert_eq!(first.commits(EventKind::Start).await, [3]);
    for round in 0..3 {
        news(&laptop, &desktop, "b.md", &format!("{round}\n")).await;
    }
    assert_eq!(first.commits(EventKind::Prompt).await, [6, 5, 4]);
    first.commits(EventKind::Stop).await;
    let scope = Scope { names: vec!["b.md".to_owned()] };
    laptop.runs(Job::Pull { scope }).await.unwrap();

    let second = Session { id: "two", ..Session::on(&laptop) };
    let told = second.prints(EventKind::Start, &[]).await;
    assert_eq!(commits(&told), [3], "the file that is not here, and nothing that is");
    assert_eq!(told.commits[0].not_here, ["early.md".to_owned()].into());
}

#[tokio::test]
async fn more_than_a_text_can_hold_is_told_of_as_a_range() {
    let (_world, laptop, desktop) = two().await;
    let session = Session::on(&laptop);
    session.commits(EventKind::Start).await;
    for round in 0..40 {
        changes(&desktop, "b.md", &format!("{round}\n")).await;
    }
    laptop.project().poll().await.unwrap();

    let told = session.prints(EventKind::Prompt, &[]).await;

    assert_eq!((told.commits.len(), told.earlier), (30, Some((3, 12))));
    assert_eq!(session.commits(EventKind::AfterTools).await, Vec::<u64>::new());
}

#[tokio::test]
async fn file_at_hand_that_others_changed_is_said_once_before_it_is_used() {
    let (_world, laptop, desktop) = two().await;
    let session = Session::on(&laptop);
    session.commits(EventKind::Start).await;
    news(&laptop, &desktop, "a.md", "tea\n").await;

    assert_eq!(before(&session, "b.md").await, []);
    let told = session.prints(EventKind::BeforeTool, &["a.md"]).await;
    assert_eq!(files(&told), [("a.md", FileNews::Behind)]);
    assert_eq!(told.files[0].by.as_ref().unwrap().machine, "desktop");
    assert_eq!(before(&session, "a.md").await, []);
    assert_eq!(session.commits(EventKind::Prompt).await, [3], "its place did not move");

    news(&laptop, &desktop, "a.md", "coffee\n").await;
    assert_eq!(before(&session, "a.md").await, [FileNews::Behind], "another version");
    laptop.pulls().await;
    news(&laptop, &desktop, "a.md", "water\n").await;
    desktop.writes("other.md", "kept\n");
    desktop.removes("a.md");
    desktop.pushes().await;
    laptop.project().poll().await.unwrap();
    assert_eq!(before(&session, "a.md").await, [FileNews::DeletedThere]);
}

#[tokio::test]
async fn write_over_lines_that_others_brought_is_said_once() {
    let (_world, laptop, desktop) = two().await;
    let session = Session::on(&laptop);
    session.commits(EventKind::Start).await;
    news(&laptop, &desktop, "a.md", "milk\nline of the desktop\n").await;
    laptop.pulls().await;

    let written = [EventKind::AfterTool, EventKind::AfterTool];
    laptop.writes("a.md", "milk\nline of the desktop\nmine\n");
    assert_eq!(files(&session.prints(written[0], &["a.md"]).await), []);
    laptop.writes("a.md", "milk\nmine\n");
    let told = session.prints(written[0], &["a.md"]).await;
    assert_eq!(files(&told), [("a.md", FileNews::Replaced)]);
    assert_eq!(files(&session.prints(written[1], &["a.md"]).await), []);

    let later = Session { id: "two", ..Session::on(&laptop) };
    later.commits(EventKind::Start).await;
    assert_eq!(commits(&later.prints(EventKind::Prompt, &[]).await), Vec::<u64>::new());
}

#[tokio::test]
async fn conflict_is_said_once_and_first_of_the_file_at_hand() {
    let (_world, laptop, desktop) = two().await;
    let session = Session::on(&laptop);
    session.commits(EventKind::Start).await;
    changes(&desktop, "a.md", "tea\n").await;
    laptop.writes("a.md", "coffee\n");
    laptop.syncs().await;

    let told = session.prints(EventKind::BeforeTool, &["a.md"]).await;
    assert_eq!(files(&told)[0], ("a.md", FileNews::Conflict));
    let told = session.prints(EventKind::Prompt, &[]).await;
    assert_eq!(told.conflicts, Vec::<RelPath>::new(), "it was said of the file");
    let other = Session { id: "two", ..Session::on(&laptop) };
    assert_eq!(other.prints(EventKind::Start, &[]).await.conflicts, [rel("a.md")]);
    assert_eq!(other.prints(EventKind::Prompt, &[]).await.conflicts, Vec::<RelPath>::new());
}

#[tokio::test]
async fn session_elsewhere_hears_of_the_file_at_hand_alone() {
    let (_world, laptop, desktop) = two().await;
    news(&laptop, &desktop, "a.md", "tea\n").await;
    let session = Session::on(&laptop);
    let elsewhere = |kind| Heard { is_here: false, ..session.heard(kind, &["a.md"]) };

    let told = laptop.project().hear(&elsewhere(EventKind::AfterTools)).await.unwrap();
    assert_eq!(told, Told::default());
    let told = laptop.project().hear(&elsewhere(EventKind::BeforeTool)).await.unwrap();
    assert_eq!((files(&told), commits(&told)), (vec![("a.md", FileNews::Behind)], vec![]));
}

#[tokio::test]
async fn bell_rings_for_what_a_session_was_not_told_and_wakes_as_the_setting_says() {
    for (wake, wakes) in [(Wake::Off, false), (Wake::Conflict, false), (Wake::All, true)] {
        let (world, laptop, desktop) = two().await;
        let session = Session { wake, ..Session::on(&laptop) };
        assert!(!laptop.project().ring_if_news().await.unwrap(), "nobody is there");
        session.commits(EventKind::Start).await;
        let silent = bell(&laptop);
        assert_eq!(silent.as_deref(), Some("0\n"));
        changes(&laptop, "own.md", "mine").await;
        assert!(!laptop.project().ring_if_news().await.unwrap(), "its own");
        desktop.syncs().await;
        news(&laptop, &desktop, "a.md", "tea\n").await;
        assert!(laptop.project().ring_if_news().await.unwrap());
        assert_ne!(bell(&laptop), silent);

        let told = session.prints(EventKind::Other, &[]).await;
        assert_eq!((told.is_wake, told.waiting), (wakes, usize::from(wake == Wake::Off)));
        assert_eq!(commits(&told), if wakes { vec![4] } else { vec![] });
        let again = session.prints(EventKind::Other, &[]).await;
        assert_eq!((again.is_wake, again.waiting, again.batch), (false, 0, None));

        if wakes {
            session.prints(EventKind::Stop, &[]).await;
            news(&laptop, &desktop, "a.md", "coffee\n").await;
            let told = session.prints(EventKind::Other, &[]).await;
            assert!(!told.is_wake && told.ring_at.is_some(), "at most one a minute");
            world.advance(Duration::from_secs(61));
            assert!(session.prints(EventKind::Other, &[]).await.is_wake);
        }
        session.prints(EventKind::End, &[]).await;
        news(&laptop, &desktop, "a.md", "water\n").await;
        assert!(!laptop.project().ring_if_news().await.unwrap(), "it has ended");
    }
}

#[tokio::test]
async fn conflict_wakes_and_what_comes_within_a_turn_rings_after_it() {
    let (_world, laptop, desktop) = two().await;
    let session = Session { wake: Wake::Conflict, ..Session::on(&laptop) };
    session.commits(EventKind::Start).await;
    session.commits(EventKind::Prompt).await;
    changes(&desktop, "a.md", "tea\n").await;
    laptop.writes("a.md", "coffee\n");
    laptop.syncs().await;

    let told = session.prints(EventKind::Other, &[]).await;
    assert!(!told.is_wake, "the turn hears of it");
    let told = session.prints(EventKind::Stop, &[]).await;
    assert!(told.ring_at.is_some() && told.batch.is_none(), "it did not");
    let told = session.prints(EventKind::Other, &[]).await;
    assert_eq!((told.is_wake, told.conflicts), (true, vec![rel("a.md")]));
}

#[tokio::test]
async fn sessions_that_are_silent_for_long_begin_anew() {
    let (world, laptop, _desktop) = two().await;
    let kept = || fs::read_dir(laptop.root("../data/sessions")).unwrap().count();
    let old = Session { id: "old", ..Session::on(&laptop) };
    old.commits(EventKind::Start).await;
    world.advance(Duration::from_hours(31 * 24));
    Session::on(&laptop).commits(EventKind::Start).await;
    assert_eq!(kept(), 1);

    let ids: Vec<&'static str> = (0..250).map(|at| &*format!("{at}").leak()).collect();
    for id in ids {
        Session { id, ..Session::on(&laptop) }.commits(EventKind::Start).await;
    }
    assert_eq!(kept(), 200);
}

#[tokio::test]
async fn new_conflict_is_an_event() {
    let (_world, laptop, desktop) = two().await;
    let mut events = laptop.project().events();
    changes(&desktop, "a.md", "tea\n").await;
    laptop.writes("a.md", "coffee\n");
    laptop.syncs().await;
    laptop.syncs().await;

    let conflict = |event: ProjectEvent| match event.happening {
        Happening::Conflict { path } => Some(path),
        _ => None,
    };
    let heard: Vec<_> =
        std::iter::from_fn(|| events.try_recv().ok()).filter_map(conflict).collect();
    assert_eq!(heard, [rel("a.md")]);
}
