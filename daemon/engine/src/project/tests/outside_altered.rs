//! A view that reads back as something else than was written there, or than the
//! local state remembers.

use super::outside_edits::*;
use super::*;

#[tokio::test]
async fn service_that_alters_contents_is_said_once_and_nothing_is_taken_over() {
    for profile in PROFILES {
        let world = World::on(profile).await;
        let laptop = world.machine("laptop").await;
        let desktop = world.machine("desktop").await;
        for machine in [&laptop, &desktop] {
            machine.backend.alter_contents();
        }
        laptop.writes("a.md", FIVE);
        let mut told = Vec::new();
        for round in 0..3 {
            world.advance(Duration::from_hours(1));
            told.extend(kinds(&laptop.syncs().await));
            laptop.project().poll().await.unwrap();
            desktop.syncs().await;
            laptop.writes("a.md", format!("{FIVE}{round}\n"));
        }
        assert_eq!(told, [NoticeKind::AlteredContent], "{profile:?}");
        laptop.syncs().await;
        desktop.syncs().await;
        assert_eq!(externals(&world), 0);
        assert_eq!(laptop.files(), desktop.files());
        let shown = world.text("a.md").map(|text| text.replace("\r\n", "\n"));
        assert_eq!(shown, laptop.reads("a.md"), "the view follows all the same");
    }
}

#[tokio::test]
async fn restored_state_is_known_by_what_the_backend_remembers() {
    for profile in PROFILES {
        let (_world, mut laptop, desktop) = agreed(profile).await;
        let older = laptop.store.copied();
        desktop.writes("a.md", FIFTH);
        desktop.writes("b.md", FIFTH);
        desktop.pushes().await;
        laptop.syncs().await;
        // The state comes back from an older copy; the files are the new ones.
        laptop.store.replace(older);
        laptop.open().await.unwrap();
        laptop.writes("b.md", FIRST);

        let report = laptop.syncs().await;

        // By the older base this would be an edit of that, and merge.
        assert_eq!(report.conflicts, [rel("b.md")], "{profile:?}");
        assert_eq!(laptop.reads("a.md").as_deref(), Some(FIFTH));
    }
}

/// What stands there now is not what was listed.
#[tokio::test]
async fn edit_made_while_the_view_is_read_back_is_not_taken_for_an_altered_file() {
    for profile in PROFILES {
        let (world, laptop, desktop) = agreed(profile).await;
        laptop.writes("a.md", FIFTH);
        laptop.pushes().await;
        let files = world.files.clone();
        laptop.backend.before(|verb, path| verb == "read" && path == "a.md", async move {
            let path = RemotePath::new("a.md").unwrap();
            files.write(&path, BOTH.into(), Expect::Anything).await.unwrap();
        });
        assert_eq!(kinds(&laptop.syncs().await), [], "{profile:?}");
        check_quiet(&world, [&laptop, &desktop], "").await;
        assert_eq!(desktop.reads("a.md").as_deref(), Some(BOTH));
    }
}
