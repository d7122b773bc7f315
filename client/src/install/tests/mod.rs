//! Files of a person's through an installation and back.

mod random;
mod settings;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::parts::{CLAUDE_HOOKS, CODEX_HOOKS, SERVER, SKILL};
use super::*;

struct Place {
    folder: tempfile::TempDir,
    installation: Installation,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let installation = Installation::open(&folder.path().join("data")).expect("opened");
        Self { folder, installation }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("there").join(name)
    }

    fn entry(&self, content: Content) -> Entry {
        let named = self.path("settings.json");
        Entry { key: "a part".to_owned(), named, content, is_private: true }
    }

    fn writes(&self, text: Option<&str>) {
        let file = self.path("settings.json");
        match text {
            Some(text) => fs::write(file, text).expect("written"),
            None => fs::remove_file(file).expect("removed"),
        }
    }

    fn text(&self) -> Option<String> {
        fs::read_to_string(self.path("settings.json")).ok()
    }

    fn goes(&mut self, entry: &Entry, way: Way) {
        self.installation.carry_out(entry, way).expect("carried out");
        // What a next run of the program knows.
        self.installation = Installation::open(&self.path("data")).expect("opened");
    }

    fn forgets(&mut self) {
        let _ = fs::remove_dir_all(self.path("data"));
        self.installation = Installation::open(&self.path("data")).expect("opened");
    }
}

#[test]
fn file_that_is_no_json_is_named_and_left_alone() {
    for (text, word) in [
        ("{\"a\": 1,}", "no valid JSON"),
        ("[]", "no JSON object"),
        ("{\"hooks\": []}", "`hooks`"),
        ("{\"hooks\": {\"Stop\": {}}}", "`hooks.Stop`"),
    ] {
        let mut place = Place::new();
        place.writes(Some(text));
        let entry = place.entry(Content::Hooks(CLAUDE_HOOKS));
        let failure = place.installation.carry_out(&entry, Way::In).expect_err(text);
        let message = &failure.fault.message;
        assert!(message.contains("settings.json") && message.contains(word), "{message}");
        assert_eq!(place.text().as_deref(), Some(text));
    }
    let place = Place::new();
    place.writes(Some("{\"mcpServers\": {\"mirrord\": {\"command\": \"mine\"}}}"));
    let entry = place.entry(Content::Server(SERVER));
    let failure = place.installation.change(&entry, Way::In).expect_err("another's");
    assert!(failure.fault.message.contains("another program"), "{failure:?}");
}

#[test]
fn link_is_followed_to_its_file_and_the_mode_stays() {
    let mut place = Place::new();
    let (real, link) = (place.path("dotfiles.json"), place.path("settings.json"));
    fs::write(&real, "{}\n").expect("written");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("set");
    symlink("dotfiles.json", &link).expect("linked");
    let entry = place.entry(Content::Hooks(CLAUDE_HOOKS));

    place.goes(&entry, Way::In);

    assert!(link.is_symlink());
    assert!(fs::read_to_string(&real).expect("there").contains("session-start"));
    assert_eq!(real.metadata().expect("there").mode() & 0o777, 0o640);
    place.goes(&entry, Way::Out);
    assert_eq!(fs::read_to_string(&real).expect("there"), "{}\n");
    assert!(link.is_symlink());

    fs::remove_file(&real).expect("removed");
    let failure = place.installation.change(&entry, Way::In).expect_err("leads nowhere");
    assert!(failure.fault.message.contains("leads nowhere"), "{failure:?}");
}

#[test]
fn old_text_is_kept_where_it_can_be_found() {
    let mut place = Place::new();
    place.writes(Some("{\"a\": 1}"));
    let entry = place.entry(Content::Hooks(CLAUDE_HOOKS));
    let (_, kept) = place.installation.carry_out(&entry, Way::In).expect("written");
    let kept = kept.expect("a copy");
    assert_eq!(fs::read_to_string(&kept).expect("there"), "{\"a\": 1}");
    assert_eq!(kept.metadata().expect("there").mode() & 0o777, 0o600);
    let folder = kept.parent().expect("a folder").metadata().expect("there");
    assert_eq!(folder.mode() & 0o777, 0o700);
}

#[test]
fn file_and_folders_that_were_made_go_again_unless_somebody_uses_them() {
    let mut place = Place::new();
    let named = place.path("claude/skills/mirrord/SKILL.md");
    let skill = |place: &Place| Entry {
        named: named.clone(),
        ..place.entry(Content::Whole(SKILL.to_owned()))
    };
    let entry = skill(&place);
    place.goes(&entry, Way::In);
    place.goes(&entry, Way::Out);
    assert!(!place.path("claude").exists());

    place.goes(&entry, Way::In);
    fs::write(place.path("claude/mine"), "").expect("written");
    fs::write(&named, "mine now").expect("written");
    let (change, _) = place.installation.carry_out(&entry, Way::Out).expect("left");
    assert!(change.was_changed && named.is_file());

    fs::write(&named, SKILL).expect("written");
    place.forgets();
    place.goes(&entry, Way::Out);
    assert!(!named.exists() && place.path("claude/mine").exists());
}

#[test]
fn what_was_put_elsewhere_before_is_known() {
    let mut place = Place::new();
    let entry = place.entry(Content::Hooks(CLAUDE_HOOKS));
    place.goes(&entry, Way::In);
    let offer = |entry: &Entry| Offer {
        part: Part::Hooks,
        purpose: String::new(),
        how: How::LeftOut { why: String::new(), entry: Some(entry.clone()) },
    };
    let moved = offer(&Entry { named: place.path("other.json"), ..entry.clone() });
    for (offered, like) in [(&[moved.clone()][..], &[][..]), (&[], &[moved])] {
        let others = place.installation.others(offered, like);
        assert_eq!(others.len(), 1);
        assert_eq!(others[0].entry().expect("a file").named, entry.named);
    }
    assert!(place.installation.others(&[offer(&entry)], &[]).is_empty());
}

/// Those copies of a kind that are kept of files, `before` or `after`.
fn copies(place: &Place, kind: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(place.path("data/installed")).expect("there");
    let all = all.map(|found| found.expect("readable").path());
    all.filter(|path| path.extension().is_some_and(|end| end == kind)).collect()
}

#[test]
fn file_stays_whose_copy_is_gone() {
    for (breaks, text) in [
        ("no copy", "{\n  \"theirs\": 1\n}\n"),
        ("no copy", "{}"),
        ("no UTF-8", "{}"),
        ("no list", "{}"),
        ("no text in the list", "{}"),
    ] {
        let mut place = Place::new();
        place.writes(Some(text));
        let entry = place.entry(Content::Hooks(CLAUDE_HOOKS));
        place.goes(&entry, Way::In);
        let copy = copies(&place, "before").remove(0);
        let list = place.path("data/installed/installed.json");
        match breaks {
            "no copy" => fs::remove_file(&copy).expect("removed"),
            "no UTF-8" => fs::write(&copy, [0xff]).expect("written"),
            _ => {
                let mut kept: serde_json::Value =
                    serde_json::from_str(&fs::read_to_string(&list).expect("there")).expect("JSON");
                let receipt = kept["files"][0].as_object_mut().expect("a receipt");
                match breaks {
                    "no list" => drop(receipt.remove("before")),
                    _ => drop(receipt.insert("before".to_owned(), 7.into())),
                }
                fs::write(&list, kept.to_string()).expect("written");
            }
        }
        place.installation = Installation::open(&place.path("data")).expect("opened");

        place.goes(&entry, Way::Out);

        assert_eq!(place.text().as_deref(), Some(text), "{breaks}");
        assert!(!list.exists(), "nothing is noted any more");
    }
}

#[test]
fn file_that_another_program_writes_meanwhile_is_worked_out_anew() {
    let mut place = Place::new();
    let entry = place.entry(Content::Hooks(CLAUDE_HOOKS));
    for (before, meanwhile) in [(None, Some("{\"a\": 1}")), (Some("{}"), Some("{\"a\": 1}"))] {
        if before.is_some() {
            place.writes(before);
        }
        let stale = place.installation.change(&entry, Way::In).expect("worked out");
        place.writes(meanwhile);
        let attempted = place.installation.attempt(&entry, Way::In, &stale).expect("tried");
        assert!(attempted.is_none());
        assert_eq!(place.text().as_deref(), meanwhile, "not one byte of it is lost");

        place.goes(&entry, Way::In);
        let stale = place.installation.change(&entry, Way::Out).expect("worked out");
        let installed = place.text().expect("written");
        let meanwhile = installed.replace("\"a\": 1", "\"a\": 2");
        place.writes(Some(&meanwhile));
        let attempted = place.installation.attempt(&entry, Way::Out, &stale).expect("tried");
        assert!(attempted.is_none());
        assert_eq!(place.text(), Some(meanwhile));

        place.goes(&entry, Way::Out);
        assert_eq!(place.text().as_deref(), Some("{\"a\": 2}"));
        place.writes(None);
    }
    let stale = Change { before: Some("{}".to_owned()), after: None, ..fresh(&place, &entry) };
    place.writes(Some("{\"a\": 1}"));
    let attempted = place.installation.attempt(&entry, Way::Out, &stale).expect("tried");
    assert!(attempted.is_none() && place.text().is_some());
}

fn fresh(place: &Place, entry: &Entry) -> Change {
    place.installation.change(entry, Way::Out).expect("worked out")
}

#[test]
fn receipt_is_found_by_a_linked_folder() {
    let mut place = Place::new();
    fs::create_dir(place.path("real")).expect("made");
    symlink("real", place.path("link")).expect("linked");
    let named = place.path("link/claude/settings.json");
    let entry = Entry { named, ..place.entry(Content::Hooks(CLAUDE_HOOKS)) };

    place.goes(&entry, Way::In);
    assert!(place.path("real/claude/settings.json").is_file());
    let offer = Offer { part: Part::Hooks, purpose: String::new(), how: How::File(entry.clone()) };
    assert!(place.installation.others(&[offer], &[]).is_empty());

    place.goes(&entry, Way::Out);
    assert!(!place.path("real/claude").exists());
    assert!(!place.path("data/installed").exists(), "nothing is left of it");
}

#[test]
fn file_of_another_user_is_read_and_never_written() {
    let place = Place::new();
    let mut foreign = PathBuf::from("/etc/passwd");
    if mirror_proto::socket::user_id() == 0 {
        foreign = place.path("managed.json");
        fs::write(&foreign, "{\"disableAllHooks\": true}").expect("written");
        std::os::unix::fs::chown(&foreign, Some(12_345), None).expect("given away");
        assert!(claude::is_on(&foreign, "disableAllHooks"));
    }
    assert!(file::read(&foreign).expect("readable").is_some());
    let entry = Entry { named: foreign, ..place.entry(Content::Hooks(CLAUDE_HOOKS)) };
    for way in [Way::In, Way::Out] {
        let failure = place.installation.change(&entry, way).expect_err("another's");
        assert!(failure.fault.message.contains("another user"), "{failure:?}");
    }
}

#[test]
fn name_that_stands_twice_is_refused() {
    let ours = CODEX_HOOKS.trim().trim_start_matches('{').trim_end_matches('}');
    let event = |text: &str| format!("{{\"hooks\": {{\"Stop\": [], {text}}}}}");
    let stop = "\"Stop\": [{\"hooks\": [{\"command\": \"mirrorctl hook stop\"}]}]";
    let server = "{\"mcpServers\": {\"mirrord\": {\"command\": \"theirs\"}, \"mirrord\": \
                  {\"command\": \"mirrorctl\", \"args\": [\"mcp\"]}}}";
    for (content, text, word) in [
        (Content::Hooks(CODEX_HOOKS), event(stop), "`Stop`"),
        (Content::Hooks(CODEX_HOOKS), format!("{{\"hooks\": {{}}, {ours}}}"), "`hooks`"),
        (Content::Server(SERVER), server.to_owned(), "`mirrord`"),
    ] {
        let place = Place::new();
        place.writes(Some(&text));
        let entry = place.entry(content);
        for way in [Way::In, Way::Out] {
            let failure = place.installation.change(&entry, way).expect_err(&text);
            let message = &failure.fault.message;
            assert!(message.contains("twice") && message.contains(word), "{message}");
        }
    }
    let found = json::Document::parse(&event(stop)).expect("JSON");
    assert_eq!(hooks::ours(&found), [("Stop".to_owned(), 0, 0)], "the last one counts");
    let hidden = event(stop).replace("\"Stop\": [],", "").replace("]}]}", "]}], \"Stop\": []}");
    let found = json::Document::parse(&hidden).expect("JSON");
    assert!(hooks::ours(&found).is_empty(), "{hidden}");
}

#[test]
fn nothing_of_others_is_shown() {
    let (secret, key) = ("sk-secret", "primaryApiKey");
    for text in [
        format!("{{\n  \"{key}\": \"{secret}\"\n}}\n"),
        format!("{{\"{key}\": \"{secret}\"}}"),
        format!(
            "{{\"mcpServers\": {{\"a\": {{\"env\": \"{secret}\"}}}}, \"hooks\": {{\"Stop\": \
                 [{{\"hooks\": [{{\"command\": \"{secret}\"}}]}}]}}}}"
        ),
    ] {
        for (content, word) in [
            (Content::Hooks(CLAUDE_HOOKS), "session-start"),
            (Content::Server(SERVER), "\"mcp\""),
            (Content::Lines { name: "prompt", text: "PS1=x\n".to_owned() }, "PS1=x"),
        ] {
            let mut place = Place::new();
            place.writes(Some(&text));
            let entry = place.entry(content);
            for (way, sign) in [(Way::In, '+'), (Way::Out, '-')] {
                let diff = entry.diff(&place.installation.change(&entry, way).expect("worked out"));
                let is_so = |line: &str| line.starts_with(sign) || line.starts_with("@@");
                assert!(diff.contains(word) && diff.lines().all(is_so), "{diff}");
                assert!(!diff.contains(secret) && !diff.contains(key), "{diff}");
                place.goes(&entry, way);
            }
        }
    }
}
