//! What is private stays private, whatever happens in between (B14).

use super::outside_edits::pushes_unseen;
use super::privacy::{is_private, is_settled, mode, set_mode, story};
use super::restoring::restores;
use super::*;
use crate::real::LocalTree;

#[tokio::test]
async fn edit_of_a_private_file_that_was_deleted_elsewhere_stays_private() {
    let (world, laptop, desktop) = story().await;
    desktop.removes("secret.md");
    desktop.pushes().await;
    laptop.writes("secret.md", "edited meanwhile");

    converge(&laptop, &desktop).await;

    assert_eq!(desktop.reads("secret.md").as_deref(), Some("edited meanwhile"));
    assert!(is_private(&world, "secret.md"));
    assert_eq!((mode(&laptop, "secret.md"), mode(&desktop, "secret.md")), (0o600, 0o600));
    is_settled(&world, &[&laptop, &desktop]).await;
}

#[tokio::test]
async fn two_new_files_under_one_name_come_to_the_narrower_rights() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("new.md", "the laptop's");
    set_mode(&laptop, "new.md", 0o644);
    laptop.pushes().await;
    desktop.writes("new.md", "the desktop's secret");
    set_mode(&desktop, "new.md", 0o600);
    desktop.syncs().await;
    let head = world.head();

    let resolve = Job::Resolve {
        path: "new.md".to_owned(),
        resolution: Resolution::Local,
        token: None,
        no_push: false,
    };
    desktop.runs(resolve).await.unwrap();
    desktop.pushes().await;

    assert!(world.head() > head && is_private(&world, "new.md"));
    laptop.pulls().await;
    assert_eq!(mode(&laptop, "new.md"), 0o600);
}

#[tokio::test]
async fn private_version_that_is_restored_is_private() {
    for is_deleted in [true, false] {
        let (world, laptop, desktop) = story().await;
        match is_deleted {
            true => laptop.removes("secret.md"),
            false => {
                laptop.writes("secret.md", "two, for everybody");
                set_mode(&laptop, "secret.md", 0o644);
            }
        }
        converge(&laptop, &desktop).await;
        if !is_deleted {
            set_mode(&desktop, "secret.md", 0o644);
        }

        restores(&desktop, &["secret.md"], 2).await;

        assert_eq!(desktop.reads("secret.md").as_deref(), Some("one"), "{is_deleted}");
        assert_eq!(mode(&desktop, "secret.md"), 0o600, "{is_deleted}");
        converge(&desktop, &laptop).await;
        assert!(is_private(&world, "secret.md"), "{is_deleted}");
        assert_eq!(mode(&laptop, "secret.md"), 0o600, "{is_deleted}");
        is_settled(&world, &[&laptop, &desktop]).await;
    }
}

#[tokio::test]
async fn private_version_comes_back_private_from_the_stash() {
    let (_world, laptop, desktop) = story().await;
    desktop.writes("secret.md", "never pushed");
    laptop.writes("secret.md", "two");
    laptop.pushes().await;
    restores(&desktop, &["secret.md"], 2).await;
    assert_eq!(desktop.stashed().len(), 1);
    let id = desktop.project().stash().await.unwrap()[0].id.to_string();
    // Nothing of the file is left, here or at the head.
    desktop.removes("secret.md");
    laptop.removes("secret.md");
    laptop.pushes().await;

    desktop.runs(Job::RestoreStash { id: id.clone(), output: None }).await.unwrap();

    assert_eq!(desktop.reads("secret.md").as_deref(), Some("never pushed"));
    assert_eq!(mode(&desktop, "secret.md"), 0o600);
}

#[tokio::test]
async fn edit_of_the_view_of_a_private_file_that_was_deleted_stays_private() {
    let (world, laptop, _desktop) = story().await;
    laptop.removes("secret.md");
    pushes_unseen(&laptop).await;
    world.plant("secret.md", "edited in the view");

    laptop.syncs().await;
    world.advance(Duration::from_hours(1));
    laptop.syncs().await;

    assert_eq!(laptop.reads("secret.md").as_deref(), Some("edited in the view"));
    assert!(is_private(&world, "secret.md"));
    assert_eq!(mode(&laptop, "secret.md"), 0o600);
}

#[tokio::test]
async fn queued_private_version_stays_private_when_it_is_merged() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("plain.md", "one\ntwo\nthree\nfour\n");
    converge(&laptop, &desktop).await;
    laptop.writes("plain.md", "one, with a secret\ntwo\nthree\nfour\n");
    set_mode(&laptop, "plain.md", 0o600);
    laptop.backend.refuse(|_, _| true);
    assert!(laptop.pushes().await.queued);
    // Nothing here says any more what was queued.
    laptop.removes("plain.md");
    desktop.writes("plain.md", "one\ntwo\nthree\nfour, too\n");
    desktop.pushes().await;
    laptop.backend.plug_in();

    laptop.project().poll().await.unwrap();
    laptop.pulls().await;

    let merged = world.text("plain.md");
    assert_eq!(merged.as_deref(), Some("one, with a secret\ntwo\nthree\nfour, too\n"));
    assert!(is_private(&world, "plain.md"));
}

#[tokio::test]
async fn side_of_a_conflict_comes_back_as_private_as_its_file_is() {
    let (_world, laptop, desktop) = story().await;
    laptop.writes("new.md", "laptop's");
    laptop.pushes().await;
    desktop.writes("new.md", "desktop's");
    set_mode(&desktop, "new.md", 0o600);
    assert_eq!(desktop.syncs().await.conflicts, [rel("new.md")]);

    let versions = desktop.project().versions("new.md".to_owned(), None, None).await.unwrap();
    let side = versions.iter().find(|version| version.role == VersionRole::Conflict).unwrap();
    let out = desktop.home.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let tree = Arc::new(LocalTree::open(out.clone()));
    let job = Job::RestoreVersion {
        path: "new.md".to_owned(),
        digits: side.sha256.unwrap().to_string(),
        output: Some(Arc::new(OutputTree(tree))),
    };
    desktop.runs(job).await.unwrap();

    let mode = std::os::unix::fs::MetadataExt::mode(&out.join("new.md").metadata().unwrap());
    assert_eq!(mode & 0o777, 0o600);
}
