//! A person at a terminal settles what a sync could not merge.

use std::path::PathBuf;

use mirror_proto::v1::resolve_conflict_request::Resolution;
use mirror_proto::v1::{
    ChangedBy, Conflict, ConflictDetail, ConflictKind, FailedFile, Fault, JobFinished, Side,
};
use tempfile::TempDir;

use super::finishing;
use crate::context::Reported;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::tests::testing::{FakeDaemon, Pty, RunningDaemon};

const QUESTION: &str = "[q]uit? ";

fn conflict(path: &str, token: &str) -> ConflictDetail {
    ConflictDetail {
        conflict: Some(Conflict {
            path: path.to_owned(),
            kind: ConflictKind::EditEdit.into(),
            remote_by: Some(ChangedBy {
                user: "ann".to_owned(),
                machine: "desktop".to_owned(),
                seq: 43,
                time: "2026-04-15T10:00:00Z".to_owned(),
            }),
            token: token.to_owned(),
            remote_name: "#43 by ann on desktop".to_owned(),
            remote_word: "desktop".to_owned(),
            ..Conflict::default()
        }),
        marked_content: Some(
            b"<<<<<<< here\nsoy\n||||||| base\nmilk\n=======\noats\n>>>>>>> #43 by ann on desktop\n"
                .to_vec(),
        ),
        ..ConflictDetail::default()
    }
}

/// What a sync says when these wait.
fn waiting(paths: &[&str]) -> JobFinished {
    let conflicts = paths.iter().map(|path| (*path).to_owned()).collect();
    JobFinished { project: "notes".to_owned(), conflicts, ..JobFinished::default() }
}

fn with(details: Vec<ConflictDetail>) -> FakeDaemon {
    let paths: Vec<_> = details.iter().flat_map(|one| &one.conflict).collect();
    let paths: Vec<_> = paths.iter().map(|conflict| conflict.path.as_str()).collect();
    let sync = finishing(waiting(&paths));
    details.into_iter().fold(FakeDaemon::default().syncing(sync), FakeDaemon::conflicting)
}

/// Syncs, types each answer when it is asked for, and gives what was shown.
async fn answers(daemon: &RunningDaemon, answers: &[&str]) -> (Result<Reported, Failure>, String) {
    answers_with(daemon, "false", answers).await
}

async fn answers_with(
    daemon: &RunningDaemon,
    editor: &str,
    answers: &[&str],
) -> (Result<Reported, Failure>, String) {
    let pty = Pty::open();
    let person = async {
        for (number, answer) in answers.iter().enumerate() {
            pty.shows(QUESTION, number + 1).await;
            pty.types(answer);
        }
    };
    let sync = daemon.runs_at(pty.terminal(editor), "sync --project notes");
    let (reported, ()) = tokio::join!(sync, person);
    (reported, pty.all_shown().await)
}

#[track_caller]
fn exit(reported: Result<Reported, Failure>) -> Exit {
    reported.expect("asked").exit
}

#[tokio::test]
async fn kept_sides_are_settled_with_the_token_of_what_was_shown() {
    let daemon = with(vec![conflict("a.md", "t1"), conflict("b/c.md", "t2")]).start();

    let (reported, shown) = answers(&daemon, &["l\n", "remote\n"]).await;

    assert_eq!(exit(reported), Exit::Done);
    let settled = daemon.settled();
    let told: Vec<_> = settled
        .iter()
        .map(|one| (one.path.as_str(), one.token.as_deref(), one.resolution.clone()))
        .collect();
    let side = |side: Side| Some(Resolution::Side(side.into()));
    assert_eq!(
        told,
        [("a.md", Some("t1"), side(Side::Local)), ("b/c.md", Some("t2"), side(Side::Remote))]
    );
    assert!(settled.iter().all(|one| one.folder.is_empty() && !one.no_push));
    assert!(shown.contains("a.md  changed on both sides"), "{shown}");
    assert!(shown.contains("#43 by ann on desktop"), "{shown}");
    assert!(shown.contains("here    | soy\nbase    | milk\ndesktop | oats\n"), "{shown}");
}

/// The commit stands: a script that took it for a failure would settle it again.
#[tokio::test]
async fn decision_after_which_something_failed_is_done_in_part() {
    let fault = Some(Fault { message: "no permission there".to_owned(), ..Fault::default() });
    let failed = FailedFile { path: "plain.md".to_owned(), fault };
    let daemon = with(vec![conflict("a.md", "t1")]).failing_after_commits(failed).start();

    let (reported, shown) = answers(&daemon, &["l\n"]).await;

    assert_eq!(exit(reported), Exit::Partial);
    assert!(shown.contains("settled a.md") && shown.contains("in #44"), "{shown}");
    assert!(shown.contains("no permission there"), "{shown}");
}

#[tokio::test]
async fn answer_that_is_none_is_met_with_what_there_is() {
    let daemon = with(vec![conflict("a.md", "t")]).start();

    let (reported, shown) = answers(&daemon, &["?\n", "s\n"]).await;

    assert_eq!(exit(reported), Exit::Conflicts);
    assert!(shown.contains("  e  what you make of it in your editor\n"), "{shown}");
}

#[tokio::test]
async fn merge_is_offered_when_it_is_clean_and_taken_as_it_is() {
    let merged = ConflictDetail {
        merged_content: Some(b"soy and oats\n".to_vec()),
        ..conflict("a.md", "t")
    };
    let daemon = with(vec![merged]).start();

    let (reported, shown) = answers(&daemon, &["m\n"]).await;

    assert_eq!(exit(reported), Exit::Done);
    assert_eq!(
        daemon.settled()[0].resolution,
        Some(Resolution::MergedContent(b"soy and oats\n".to_vec()))
    );
    assert!(shown.contains("[m]erged"), "{shown}");
}

#[tokio::test]
async fn skipped_files_wait_and_are_exit_3() {
    let daemon = with(vec![conflict("a.md", "t1"), conflict("b.md", "t2")]).start();

    let (reported, _) = answers(&daemon, &["s\n", "l\n"]).await;

    assert_eq!(exit(reported), Exit::Conflicts);
    assert_eq!(daemon.settled().len(), 1);
    assert_eq!(daemon.settled()[0].path, "b.md");
}

#[tokio::test]
async fn quitting_leaves_this_file_and_the_rest() {
    for goodbye in ["q\n", "\u{4}"] {
        let daemon = with(vec![conflict("a.md", "t1"), conflict("b.md", "t2")]).start();

        let (reported, _) = answers(&daemon, &[goodbye]).await;

        assert_eq!(exit(reported), Exit::Conflicts);
        assert!(daemon.settled().is_empty());
    }
}

#[tokio::test]
async fn answer_that_is_none_is_asked_for_again() {
    let daemon = with(vec![conflict("a.md", "t")]).start();

    let (reported, _) = answers(&daemon, &["\n", "yes\n", "m\n", "l\n"]).await;

    assert_eq!(exit(reported), Exit::Done);
    assert_eq!(daemon.settled().len(), 1);
}

#[tokio::test]
async fn file_that_moved_meanwhile_is_shown_anew() {
    let daemon = with(vec![conflict("a.md", "t1")]).moving_to(conflict("a.md", "t2")).start();

    let (reported, shown) = answers(&daemon, &["l\n", "r\n"]).await;

    assert_eq!(exit(reported), Exit::Done);
    let [settled] = &daemon.settled()[..] else { panic!("one decision") };
    assert_eq!(settled.token.as_deref(), Some("t2"));
    assert_eq!(settled.resolution, Some(Resolution::Side(Side::Remote.into())));
    assert!(shown.contains("changed meanwhile"), "{shown}");
    assert_eq!(shown.matches("here    | soy").count(), 2, "{shown}");
}

#[tokio::test]
async fn binary_file_offers_its_sides_only() {
    let mut binary = ConflictDetail { marked_content: None, ..conflict("a.bin", "t") };
    binary.conflict.as_mut().expect("a conflict").binary = true;
    let daemon = with(vec![binary]).start();

    let (reported, shown) = answers(&daemon, &["e\n", "l\n"]).await;

    assert_eq!(exit(reported), Exit::Done);
    assert!(!shown.contains("[e]dit"), "{shown}");
}

#[tokio::test]
async fn nobody_is_asked_who_said_what_to_do() {
    for words in ["--no-prompt", "--strategy merge", "--strategy keep-local", "--dry-run"] {
        let daemon = with(vec![conflict("a.md", "t")]).start();
        let pty = Pty::open();

        let line = format!("sync --project notes {words}");
        let reported = daemon.runs_at(pty.terminal("false"), &line).await.expect("synced");

        assert_eq!(reported.exit, Exit::Conflicts, "{words}");
        assert!(!pty.shown().contains(QUESTION), "{words}: {}", pty.shown());
    }
}

/// An editor that does what these lines of shell say; `$1` and `$2` are its
/// arguments, `$3` is the file.
struct Editor {
    place: TempDir,
    command: String,
}

impl Editor {
    fn of(script: &str) -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let program = place.path().join("an editor");
        let there = place.path().display();
        let script = format!("there='{there}'\n{script}\n");
        std::fs::write(&program, script).expect("written");
        let command = format!("sh '{}' --wait 'two words'", program.display());
        Self { place, command }
    }

    fn left(&self, name: &str) -> String {
        std::fs::read_to_string(self.place.path().join(name)).expect("left by the editor")
    }
}

/// The file that a kept draft is said to be in.
fn kept(shown: &str) -> PathBuf {
    let (_, after) = shown.split_once("what you edited is kept in ").expect("kept");
    PathBuf::from(after.lines().next().expect("a path"))
}

#[tokio::test]
async fn editor_gets_its_arguments_and_a_file_with_markers() {
    let editor = Editor::of(
        "[ \"$#|$1|$2\" = '3|--wait|two words' ] || exit 9\n\
         cp \"$3\" \"$there/seen\"; basename \"$3\" > \"$there/name\"\n\
         printf 'soy\\nand \\377\\n' > \"$3\"",
    );
    let daemon = with(vec![conflict("b/c.md", "t")]).start();

    let (reported, _) = answers_with(&daemon, &editor.command, &["e\n"]).await;

    assert_eq!(exit(reported), Exit::Done);
    assert_eq!(
        daemon.settled()[0].resolution,
        Some(Resolution::MergedContent(b"soy\nand \xff\n".to_vec()))
    );
    assert_eq!(editor.left("name"), "c.md\n");
    assert!(editor.left("seen").starts_with("<<<<<<< here\nsoy\n||||||| base\nmilk\n"));
}

#[tokio::test]
async fn leftover_markers_are_refused_and_the_edit_goes_on_where_it_was() {
    let editor = Editor::of(
        "cat \"$3\" >> \"$there/seen\"\n\
         if [ -e \"$there/again\" ]; then echo done > \"$3\"; else\n\
         echo more >> \"$3\"; : > \"$there/again\"; fi",
    );
    let daemon = with(vec![conflict("a.md", "t")]).start();

    let (reported, shown) = answers_with(&daemon, &editor.command, &["e\n", "e\n"]).await;

    assert_eq!(exit(reported), Exit::Done);
    assert!(shown.contains("markers left"), "{shown}");
    assert_eq!(daemon.settled().len(), 1);
    assert_eq!(daemon.settled()[0].resolution, Some(Resolution::MergedContent(b"done\n".to_vec())));
    assert!(
        editor.left("seen").ends_with(">>>>>>> #43 by ann on desktop\nmore\n"),
        "{}",
        editor.left("seen")
    );
}

#[tokio::test]
async fn editor_that_ends_with_a_failure_skips_the_file() {
    let editor = Editor::of("exit 3");
    let daemon = with(vec![conflict("a.md", "t")]).start();

    let (reported, shown) = answers_with(&daemon, &editor.command, &["e\n"]).await;

    assert_eq!(exit(reported), Exit::Conflicts);
    assert!(daemon.settled().is_empty());
    assert!(shown.contains("a.md is skipped"), "{shown}");
    assert!(!shown.contains("is kept in"), "{shown}");
}

#[tokio::test]
async fn edit_that_came_too_late_stays_in_a_file() {
    let editor = Editor::of("echo mine > \"$3\"");
    let daemon = with(vec![conflict("a.md", "t1")]).moving_to(conflict("a.md", "t2")).start();

    let (reported, shown) = answers_with(&daemon, &editor.command, &["e\n", "s\n"]).await;

    assert_eq!(exit(reported), Exit::Conflicts);
    assert!(daemon.settled().is_empty());
    let kept = kept(&shown);
    assert_eq!(std::fs::read_to_string(&kept).expect("kept"), "mine\n");
    std::fs::remove_dir_all(kept.parent().expect("a folder")).expect("removed");
}

#[tokio::test]
async fn edit_that_was_refused_and_left_stays_in_a_file() {
    let editor = Editor::of("echo more >> \"$3\"");
    let daemon = with(vec![conflict("a.md", "t")]).start();

    let (reported, shown) = answers_with(&daemon, &editor.command, &["e\n", "q\n"]).await;

    assert_eq!(exit(reported), Exit::Conflicts);
    let kept = kept(&shown);
    assert!(std::fs::read_to_string(&kept).expect("kept").ends_with("more\n"));
    std::fs::remove_dir_all(kept.parent().expect("a folder")).expect("removed");
}
