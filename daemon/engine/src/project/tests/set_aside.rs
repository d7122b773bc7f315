//! Every version that went to the stash is told of, with its id: by the job that put it
//! there, else by the next report.

use super::meddling_tree::Step;
use super::queueing::*;
use super::*;

/// What the stash holds: path and id.
async fn stash_ids(machine: &Machine) -> BTreeSet<(String, String)> {
    let stash = machine.project().stash().await.unwrap();
    stash.into_iter().map(|one| (one.path.to_string(), one.id.to_string())).collect()
}

/// What a report tells of it.
fn told_ids(report: &Report) -> BTreeSet<(String, String)> {
    let told = |notice: &Notice| {
        let (path, id) = (notice.path.clone()?, notice.stash?);
        assert!(notice.message.contains(&id.to_string()), "{notice:?}");
        Some((path.to_string(), id.to_string()))
    };
    report.notices.iter().filter_map(told).collect()
}

/// Two versions of one path and one of another wait, none of which stands here any more
/// or merges with what another machine sent.
async fn overtaken() -> (World, Machine, Machine) {
    let (world, laptop, desktop) = story().await;
    for text in ["eggs", "ham"] {
        laptop.writes("list.md", text);
        queues(&laptop).await;
    }
    laptop.writes("other.md", "cocoa");
    queues(&laptop).await;
    laptop.writes("list.md", "jam");
    laptop.writes("other.md", "juice");
    desktop.writes("list.md", "flour");
    desktop.writes("other.md", "coffee");
    desktop.pushes().await;
    (world, laptop, desktop)
}

#[tokio::test]
async fn versions_that_a_queued_push_set_aside_later_are_told_by_the_next_report() {
    for is_restarted in [false, true] {
        let (_world, mut laptop, _desktop) = overtaken().await;
        round(&laptop).await;
        if is_restarted {
            laptop.open().await.unwrap();
        }
        let stashed = stash_ids(&laptop).await;
        assert_eq!(stashed.len(), 3, "{stashed:?}");

        let report = laptop.syncs().await;

        assert_eq!(told_ids(&report), stashed, "{report:?}");
        assert_eq!(told_ids(&laptop.syncs().await), BTreeSet::new(), "it is said once");
    }
}

#[tokio::test]
async fn versions_that_a_push_sets_aside_as_it_sends_the_queue_are_told_by_it() {
    let (_world, laptop, _desktop) = overtaken().await;
    laptop.backend.plug_in();

    let report = laptop.tries_push(&["new.md"]).await;

    let report = match report {
        Ok(report) => report,
        // No such file: what the queue came to is told by the next.
        Err(_) => laptop.syncs().await,
    };
    assert_eq!(told_ids(&report), stash_ids(&laptop).await, "{report:?}");
    assert_eq!(told_ids(&report).len(), 3);
}

#[tokio::test]
async fn queued_version_that_is_gone_is_told_of_though_nobody_waited_for_its_push() {
    let (_world, laptop, _desktop) = story().await;
    laptop.writes("list.md", "eggs");
    queues(&laptop).await;
    laptop.writes("list.md", "milk\n\nbread\n");
    let content = Digest::of(b"eggs").to_string();
    fs::remove_file(laptop.home.path().join("data/queue").join(content)).unwrap();

    round(&laptop).await;
    let report = laptop.syncs().await;

    let told: Vec<_> =
        report.notices.iter().map(|one| (one.kind, one.path.clone(), one.stash)).collect();
    assert_eq!(told, [(NoticeKind::NotSent, Some(rel("list.md")), None)], "{report:?}");
}

/// A program that saves the file as it is put, and once more.
fn saves_twice(machine: &Machine, name: &'static str) {
    let root = machine.root("");
    let mut is_done = false;
    machine.tree.haunt(move |step, path| {
        if step == Step::Put && path.as_str() == name && !std::mem::replace(&mut is_done, true) {
            let names = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path());
            let mut staged = names.filter(|path| path.to_str().unwrap().contains(".mirrord-"));
            let temporary = staged.next().expect("something was staged");
            fs::remove_file(root.join(name)).unwrap();
            fs::rename(&temporary, root.join(name)).unwrap();
            fs::write(&temporary, "edited here").unwrap();
            fs::write(root.join(name), "and once more").unwrap();
        }
    });
}

#[tokio::test]
async fn versions_that_lost_their_place_in_a_step_are_told_with_their_ids() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let mut desktop = world.machine("desktop").await;
    laptop.writes("a.md", "old");
    converge(&laptop, &desktop).await;
    laptop.writes("a.md", "new");
    laptop.pushes().await;
    saves_twice(&desktop, "a.md");
    desktop.pulls().await;

    // Where the daemon ends before the next job, what it finds as it starts is told, too.
    desktop.open().await.unwrap();
    let report = desktop.syncs().await;

    let stashed = stash_ids(&desktop).await;
    assert!(!stashed.is_empty());
    assert_eq!(told_ids(&report), stashed, "{report:?}");
}
