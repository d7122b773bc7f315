//! A set-up that is answered question by question.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Answer, Draft, Step, Verb, step};
use crate::projects::Registry;
use crate::services::{Answers, KINDS};
use crate::testing::World;

struct Person {
    machine: Arc<Registry>,
    here: PathBuf,
    draft: Draft,
}

impl Person {
    fn new(world: &World, verb: Verb, folder: &str, url: &str) -> Self {
        let draft = Draft {
            verb,
            folder: folder.to_owned(),
            url: url.to_owned(),
            kind: None,
            parts: Answers::default(),
            settings: Vec::new(),
            name: None,
            patterns: Vec::new(),
            held: None,
        };
        Self { machine: world.machine("laptop"), here: world.at("home"), draft }
    }

    fn hears(&self) -> Step {
        step(&self.machine, self.draft.clone(), None, &self.here)
    }

    /// Gives the answer, and the reason where it can't be used.
    fn says(&mut self, question: &str, typed: Option<&str>) -> Option<String> {
        let answer = Answer { question: question.to_owned(), typed: typed.map(str::to_owned) };
        let step = step(&self.machine, self.draft.clone(), Some(&answer), &self.here);
        self.draft = step.draft;
        step.refusal
    }

    fn names(&self) -> Vec<&'static str> {
        self.hears().questions.iter().map(|question| question.name).collect()
    }

    fn usual(&self, name: &str) -> Option<String> {
        let questions = self.hears().questions;
        questions.into_iter().find(|question| question.name == name)?.usual
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_follow_from_the_kind_of_service() {
    let world = World::new();
    let folder = world.at("notes").display().to_string();
    let mut person = Person::new(&world, Verb::Init, &folder, "");

    assert_eq!(person.names(), ["folder", "kind", "path", "name", "patterns"]);
    assert_eq!(person.says("kind", Some("sftp")), None);

    let of_server = ["folder", "kind", "host", "user", "port", "path", "key_file"];
    assert_eq!(person.names(), [&of_server[..], &["name", "patterns"]].concat());
    assert_eq!(person.usual("path").as_deref(), Some("~/notes"));
    assert!(person.says("host", Some("ann@nas")).unwrap().contains("the host alone"));
    assert!(person.says("host", None).unwrap().contains("needed"));
    for (question, typed) in [
        ("host", Some("nas")),
        ("user", Some("ann")),
        ("port", None),
        ("path", Some("~/notes")),
        ("key_file", None),
        ("name", Some("notes")),
    ] {
        assert_eq!(person.says(question, typed), None, "{question}");
    }
    assert_eq!(person.draft.url, "sftp://ann@nas/~/notes");
    assert_eq!((&person.draft.name, person.draft.settings.len()), (&None, 0));

    assert_eq!(person.says("kind", Some("folder")), None);
    assert_eq!(person.usual("path"), None, "what it was on the server is no path here");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_in_flags_is_proposed() {
    let world = World::new();
    fs::create_dir(world.at("home")).unwrap();
    let mut person = Person::new(&world, Verb::Clone, "", "sftp://ann@nas:2222/srv/a%20b");
    let setting = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    person.draft.settings = vec![setting("poll_interval", "5s"), setting("key_file", "/k")];
    person.draft.held = Some("shared".to_owned());

    assert_eq!(person.usual("kind").as_deref(), Some("sftp"));
    assert_eq!(person.usual("port").as_deref(), Some("2222"));
    assert_eq!(person.usual("path").as_deref(), Some("/srv/a b"));
    assert_eq!(person.usual("key_file").as_deref(), Some("/k"));
    assert_eq!(person.usual("folder"), Some(world.at("home/shared").display().to_string()));
    assert_eq!(person.usual("name").as_deref(), Some("shared"));
    assert_eq!(person.usual("patterns").as_deref(), Some("all that the project has"));

    assert_eq!(person.says("kind", Some("folder")), None);
    assert_eq!(person.hears().settings, [setting("poll_interval", "5s")]);
    assert_eq!(person.says("kind", Some("sftp")), None);
    assert_eq!(person.usual("key_file").as_deref(), Some("/k"), "kept to be proposed");
}

#[tokio::test(flavor = "multi_thread")]
async fn relative_path_begins_where_it_is_typed() {
    let world = World::new();
    fs::create_dir(world.at("home")).unwrap();
    let mut person = Person::new(&world, Verb::Init, "", "folder:./nas");

    assert_eq!(person.usual("path"), Some(world.at("home/nas").display().to_string()));
    assert_eq!(person.says("folder", Some("../notes")), None);
    assert_eq!(Path::new(&person.draft.folder), world.at("notes"));
}

#[test]
fn no_question_about_a_backend_is_called_as_one_that_each_set_up_has() {
    for kind in KINDS {
        let questions = kind.questions();
        for (at, question) in questions.iter().enumerate() {
            assert!(!["folder", "kind", "name", "patterns"].contains(&question.name));
            let first = questions.iter().position(|other| other.word == question.word);
            assert_eq!(first, Some(at));
        }
    }
}
