//! The plain files on the backend: written from the head, and never over what
//! the log has not seen.

use mirror_core::commit::Action;

use super::*;

const PROFILES: [MemoryProfile; 2] = [MemoryProfile::SWAP, MemoryProfile::RENAME];

async fn pushed(profile: MemoryProfile) -> (World, Machine) {
    let world = World::on(profile).await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.writes("notes/b.md", "tea");
    assert!(!laptop.pushes().await.view_pending);
    (world, laptop)
}

fn notices(report: &Report) -> Vec<(NoticeKind, Option<RelPath>)> {
    report.notices.iter().map(|notice| (notice.kind, notice.path.clone())).collect()
}

fn asides(world: &World) -> Vec<String> {
    let names = world.names("_mirror/aside");
    names.iter().map(|name| world.text(name).unwrap()).collect()
}

#[tokio::test]
async fn view_follows_edits_and_deletions() {
    for profile in PROFILES {
        let (world, laptop) = pushed(profile).await;
        laptop.writes("a.md", "bread");
        laptop.removes("notes/b.md");
        let report = laptop.pushes().await;
        assert_eq!((report.view_pending, notices(&report)), (false, vec![]));
        assert_eq!(world.names(""), ["a.md".to_owned()].into());
        assert_eq!(world.text("a.md").as_deref(), Some("bread"));
        assert_eq!(asides(&world), [""; 0], "known versions are not kept aside");
    }
}

#[tokio::test]
async fn view_is_replaced_by_a_machine_that_did_not_write_it() {
    for profile in PROFILES {
        let (world, laptop) = pushed(profile).await;
        let desktop = world.machine("desktop").await;
        desktop.pulls().await;
        desktop.writes("a.md", "bread");
        desktop.removes("notes/b.md");
        let report = desktop.pushes().await;
        assert_eq!((report.view_pending, notices(&report)), (false, vec![]));
        assert_eq!(world.text("a.md").as_deref(), Some("bread"));
        assert_eq!(world.names("").len(), 1);
        converge(&laptop, &desktop).await;
    }
}

#[tokio::test]
async fn file_that_the_log_has_never_seen_is_not_overwritten() {
    for profile in PROFILES {
        let world = World::on(profile).await;
        let laptop = world.machine("laptop").await;
        world.plant("a.md", "put there by a person");
        laptop.writes("a.md", "milk");
        laptop.writes("b.md", "tea");
        let report = laptop.pushes().await;
        let unsettled = (NoticeKind::ViewUnsettled, Some(rel("a.md")));
        assert_eq!(notices(&report), std::slice::from_ref(&unsettled));
        assert_eq!(report.conflicts, [rel("a.md")]);
        assert_eq!(world.text("a.md").as_deref(), Some("put there by a person"));

        laptop.writes("a.md", "bread");
        assert_eq!(notices(&laptop.pushes().await), [unsettled]);
        // Nothing stands against it any more: an edit beats a deletion.
        laptop.removes("a.md");
        laptop.pushes().await;
        assert_eq!(world.text("a.md").as_deref(), Some("put there by a person"));
        laptop.syncs().await;
        assert_eq!(laptop.reads("a.md").as_deref(), Some("put there by a person"));
    }
}

#[tokio::test]
async fn copy_that_finds_no_successor_stands_where_it_stood() {
    let (world, laptop) = pushed(MemoryProfile::RENAME).await;
    laptop.backend.refuse(|verb, path| verb == "write" && path == "a.md");
    laptop.writes("a.md", "bread");

    assert!(laptop.pushes().await.view_pending);

    assert_eq!(world.text("a.md").as_deref(), Some("milk"));
    assert_eq!(asides(&world), [""; 0]);
    laptop.backend.plug_in();
    laptop.pushes().await;
    assert_eq!(world.text("a.md").as_deref(), Some("bread"));
}

#[tokio::test]
async fn file_that_a_person_edited_is_not_overwritten() {
    for profile in PROFILES {
        let (world, laptop) = pushed(profile).await;
        world.plant("a.md", "edited by a person");
        laptop.writes("a.md", "bread");
        laptop.pushes().await;
        assert_eq!(world.text("a.md").as_deref(), Some("edited by a person"));
        laptop.removes("a.md");
        laptop.pushes().await;
        assert_eq!(world.text("a.md").as_deref(), Some("edited by a person"));
        assert_eq!(world.commit(world.head()).action, Action::External);
    }
}

/// Edits a view file just before `verb` reaches it.
fn edit_before(world: &World, laptop: &Machine, verb: &'static str, text: &'static str) {
    let files = world.files.clone();
    let chooser = move |called: &str, path: &str| called == verb && path == "a.md";
    laptop.backend.before(chooser, async move {
        let path = RemotePath::new("a.md").unwrap();
        files.write(&path, text.into(), Expect::Anything).await.unwrap();
    });
}

#[tokio::test]
async fn file_edited_in_the_last_moment_is_kept_aside() {
    let (world, laptop) = pushed(MemoryProfile::RENAME).await;
    edit_before(&world, &laptop, "rename", "edited by a person");
    laptop.writes("a.md", "bread");

    let report = laptop.pushes().await;

    assert_eq!(asides(&world), ["edited by a person"]);
    assert_eq!(world.text("a.md").as_deref(), Some("bread"));
    assert_eq!(notices(&report), [(NoticeKind::ViewUnsettled, Some(rel("a.md")))]);
    let aside = world.names("_mirror/aside").into_iter().next().unwrap();
    assert!(report.notices[0].message.contains(&aside), "{report:?}");
}

#[tokio::test]
async fn file_edited_before_it_is_deleted_comes_back() {
    for (profile, verb) in [(MemoryProfile::RENAME, "rename"), (MemoryProfile::SWAP, "remove")] {
        let (world, laptop) = pushed(profile).await;
        edit_before(&world, &laptop, verb, "edited by a person");
        laptop.removes("a.md");
        let report = laptop.pushes().await;
        assert_eq!(notices(&report), [(NoticeKind::EditBeatDeletion, Some(rel("a.md")))]);
        assert_eq!(world.text("a.md").as_deref(), Some("edited by a person"));
        assert_eq!(asides(&world), [""; 0]);
        laptop.pulls().await;
        assert_eq!(laptop.reads("a.md").as_deref(), Some("edited by a person"));
    }
}

#[tokio::test]
async fn file_edited_in_the_last_moment_stays_where_revisions_are_compared() {
    let (world, laptop) = pushed(MemoryProfile::SWAP).await;
    edit_before(&world, &laptop, "write", "edited by a person");
    laptop.writes("a.md", "bread");
    let report = laptop.pushes().await;
    assert_eq!(notices(&report), [(NoticeKind::ViewUnsettled, Some(rel("a.md")))]);
    assert_eq!(world.text("a.md").as_deref(), Some("edited by a person"));
}

#[tokio::test]
async fn file_that_appears_in_the_last_moment_stays() {
    for profile in PROFILES {
        let world = World::on(profile).await;
        let laptop = world.machine("laptop").await;
        edit_before(&world, &laptop, "write", "put there by a person");
        laptop.writes("a.md", "milk");
        let report = laptop.pushes().await;
        assert_eq!(notices(&report), [(NoticeKind::ViewUnsettled, Some(rel("a.md")))]);
        assert_eq!(world.text("a.md").as_deref(), Some("put there by a person"));
    }
}

#[tokio::test]
async fn view_that_can_not_be_written_is_written_later() {
    let (world, mut laptop) = pushed(MemoryProfile::RENAME).await;
    laptop.backend.refuse(|_, path| path == "a.md");
    laptop.writes("a.md", "bread");
    laptop.writes("notes/b.md", "sugar");

    let report = laptop.pushes().await;

    assert_eq!(report.commit.map(|(seq, _)| seq), Some(3), "the commit stands");
    assert!(report.view_pending);
    assert_eq!(world.text("notes/b.md").as_deref(), Some("sugar"));
    let queued = laptop.project().status(false).await.unwrap().queue.pop().unwrap();
    assert_eq!((queued.attempts, queued.fault.path.as_str()), (1, "a.md"));

    laptop.backend.plug_in();
    world.advance(Duration::from_mins(10));
    laptop.project().poll().await.unwrap();
    assert_eq!(world.text("a.md").as_deref(), Some("bread"));
    assert_eq!(laptop.project().status(false).await.unwrap().queue, []);

    // What is pending outlives the daemon.
    laptop.backend.refuse(|_, path| path == "a.md");
    laptop.writes("a.md", "cheese");
    laptop.pushes().await;
    laptop.backend.plug_in();
    laptop.open().await.unwrap();
    laptop.project().poll().await.unwrap();
    assert_eq!(world.text("a.md").as_deref(), Some("cheese"));
}

#[tokio::test]
async fn push_that_does_not_wait_leaves_the_view_to_the_daemon() {
    let (world, laptop) = pushed(MemoryProfile::SWAP).await;
    laptop.writes("a.md", "bread");
    let job =
        Job::Push { scope: Scope::default(), message: None, force_local: false, no_wait: true };
    assert!(laptop.runs(job).await.unwrap().view_pending);
    assert_eq!(world.text("a.md").as_deref(), Some("milk"));
    laptop.project().poll().await.unwrap();
    assert_eq!(world.text("a.md").as_deref(), Some("bread"));
}

#[tokio::test]
async fn view_written_while_the_head_moved_on_is_written_again() {
    let (world, laptop) = pushed(MemoryProfile::RENAME).await;
    let desktop = world.machine("desktop").await;
    desktop.pulls().await;
    laptop.writes("a.md", "bread");
    // The desktop pulls that commit and replaces it, view and all, just
    // before the laptop makes room for what it has committed.
    let root = desktop.root("");
    let project = desktop.project().clone();
    let chooser = |verb: &str, path: &str| verb == "rename" && path == "a.md";
    laptop.backend.before(chooser, async move {
        let run = async |job| {
            let (events, _) = mpsc::channel(8);
            project
                .run(JobRequest { job, dry_run: false, consent: false }, events, Cancel::new())
                .await
                .unwrap()
        };
        run(Job::Pull { scope: Scope::default() }).await;
        fs::write(root.join("a.md"), "cheese").unwrap();
        run(push_of(&[])).await;
    });

    laptop.pushes().await;

    assert_eq!(world.head(), 4);
    assert_eq!(world.text("a.md").as_deref(), Some("cheese"), "the head's version is shown");
}

#[tokio::test]
async fn missing_and_stale_files_are_repaired_after_two_looks() {
    for profile in PROFILES {
        let (world, laptop) = pushed(profile).await;
        let desktop = world.machine("desktop").await;
        laptop.writes("a.md", "bread");
        laptop.pushes().await;
        // As a machine leaves it that was cut off after its commit.
        world.plant("a.md", "milk");
        world.lose("notes/b.md");
        desktop.project().poll().await.unwrap();
        assert_eq!(world.text("a.md").as_deref(), Some("milk"), "one look is no proof");
        world.advance(Duration::from_secs(10));
        desktop.project().poll().await.unwrap();
        assert_eq!(world.text("a.md").as_deref(), Some("bread"));
        assert_eq!(world.text("notes/b.md").as_deref(), Some("tea"));
    }
}
