//! Versions of the stash, read and brought back.

use std::os::unix::fs::PermissionsExt as _;

use mirror_storage::FaultClass;

use super::restoring::{actions, restored, restores, story};
use super::*;

#[tokio::test]
async fn stashed_version_comes_back_and_what_stood_there_is_kept() {
    let (_world, laptop) = story().await;
    laptop.writes("notes/b.md", "unpushed");
    restores(&laptop, &["notes/b.md"], 3).await;
    laptop.writes("notes/b.md", "later");
    let stashed = laptop.project().stash().await.unwrap();
    let id = stashed[0].id.to_string();
    let (record, content) = laptop.project().stashed(id.clone()).await.unwrap();
    assert_eq!((record.path.as_str(), record.size), ("notes/b.md", 8));
    assert_eq!(std::io::read_to_string(content.open().unwrap()).unwrap(), "unpushed");

    let report = laptop.runs(Job::RestoreStash { id: id.clone(), output: None }).await.unwrap();

    assert_eq!(actions(&report), restored(&["notes/b.md"]));
    assert_eq!(laptop.reads("notes/b.md").as_deref(), Some("unpushed"));
    let texts: Vec<_> = laptop.stashed().into_iter().map(|(_, _, text)| text).collect();
    assert_eq!(texts, ["later", "unpushed"]);
    assert_eq!(laptop.unsettled().await, [("notes/b.md".to_owned(), FileState::NewLocal)]);
    let again = laptop.runs(Job::RestoreStash { id: id.clone(), output: None }).await.unwrap();
    assert_eq!(actions(&again), []);
}

#[tokio::test]
async fn stash_is_restored_while_the_backend_is_away_and_into_a_folder_that_is_gone() {
    let (_world, laptop) = story().await;
    laptop.writes("notes/b.md", "unpushed");
    restores(&laptop, &["notes/b.md"], 3).await;
    fs::remove_dir_all(laptop.root("notes")).unwrap();
    laptop.backend.refuse(|_, _| true);
    let id = laptop.project().stash().await.unwrap()[0].id.to_string();

    laptop.runs(Job::RestoreStash { id: id.clone(), output: None }).await.unwrap();

    assert_eq!(laptop.reads("notes/b.md").as_deref(), Some("unpushed"));
}

#[tokio::test]
async fn beginning_of_an_id_is_enough_when_it_is_of_one_only() {
    let (_world, laptop) = story().await;
    for text in ["first", "second"] {
        laptop.writes("a.md", text);
        restores(&laptop, &["a.md"], 2).await;
    }
    let stash = laptop.project().stash().await.unwrap();
    let [first, second] = ["first", "second"].map(|text| {
        let digest = Digest::of(text.as_bytes());
        let kept = stash.iter().find(|kept| kept.sha256 == digest).expect("it is kept");
        kept.id.to_string()
    });
    let apart = first.bytes().zip(second.bytes()).take_while(|(one, other)| one == other).count();

    let shared = laptop.project().stashed(second[..apart].to_owned()).await.unwrap_err();
    let unknown = laptop.project().stashed("7ZZ".to_owned()).await.unwrap_err();
    for typed in ["", "nonsense", "01K00000000000000000000000X"] {
        let refused = laptop.project().stashed(typed.to_owned()).await.unwrap_err();
        assert_eq!(refused.class(), FaultClass::Usage, "{typed:?}");
    }
    let id = second[..=apart].to_lowercase();
    laptop.runs(Job::RestoreStash { id, output: None }).await.unwrap();

    assert_eq!((shared.class(), unknown.class()), (FaultClass::Usage, FaultClass::NotFound));
    let listed = shared.to_string();
    assert!(listed.contains(&first) && listed.contains(&second), "{listed}");
    assert_eq!(laptop.reads("a.md").as_deref(), Some("second"));
}

#[tokio::test]
async fn damaged_record_hides_no_other_and_damaged_content_is_never_written() {
    let (_world, laptop) = story().await;
    laptop.writes("a.md", "unpushed");
    restores(&laptop, &["a.md"], 2).await;
    let id = laptop.project().stash().await.unwrap()[0].id.to_string();
    let folder = laptop.home.path().join("data/stash");
    fs::write(folder.join("01K00000000000000000000000.json"), "{").unwrap();
    assert_eq!(laptop.project().stash().await.unwrap().len(), 1);
    fs::write(folder.join(&id), "damaged").unwrap();

    let error = laptop.runs(Job::RestoreStash { id: id.clone(), output: None }).await.unwrap_err();

    assert_eq!(error.class(), FaultClass::Rejected);
    assert_eq!(laptop.reads("a.md").as_deref(), Some("one"));
}

/// The traits of the one version in the stash: of today's record, or of one
/// written when records said nothing of them.
async fn comes_back(laptop: &Machine, is_old: bool) {
    let id = laptop.project().stash().await.unwrap()[0].id.to_string();
    let record = laptop.home.path().join(format!("data/stash/{id}.json"));
    if is_old {
        let text = fs::read(&record).unwrap();
        let mut fields: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(&text).unwrap();
        fields.retain(|name, _| !["kind", "exec"].contains(&name.as_str()));
        fs::write(&record, serde_json::to_vec(&fields).unwrap()).unwrap();
    }
    laptop.runs(Job::RestoreStash { id, output: None }).await.unwrap();
}

#[tokio::test]
async fn link_comes_back_from_the_stash_as_a_link() {
    for is_old in [false, true] {
        let (_world, laptop) = story().await;
        std::os::unix::fs::symlink("a.md", laptop.root("link.md")).unwrap();
        laptop.pushes().await;
        laptop.removes("link.md");
        std::os::unix::fs::symlink("b.md", laptop.root("link.md")).unwrap();
        restores(&laptop, &["link.md"], 5).await;

        comes_back(&laptop, is_old).await;

        let link = fs::read_link(laptop.root("link.md"));
        assert_eq!(link.ok(), (!is_old).then(|| PathBuf::from("b.md")));
    }
}

#[tokio::test]
async fn script_comes_back_from_the_stash_as_one_that_can_be_run() {
    for is_old in [false, true] {
        let (_world, laptop) = story().await;
        laptop.writes("a.md", "#!/bin/sh");
        fs::set_permissions(laptop.root("a.md"), fs::Permissions::from_mode(0o755)).unwrap();
        restores(&laptop, &["a.md"], 2).await;

        comes_back(&laptop, is_old).await;

        let mode = fs::metadata(laptop.root("a.md")).unwrap().permissions().mode();
        assert_eq!(
            (mode & 0o100 != 0, laptop.reads("a.md").as_deref()),
            (!is_old, Some("#!/bin/sh"))
        );
    }
}
