//! What a project's file says, and what is wrong with one.

use super::*;

const FILE: &str = "/c/projects/notes.toml";

fn read(text: &str) -> Result<ProjectConfig, Problem> {
    ProjectConfig::read(&Source::parse(Path::new(FILE), text)?, Path::new(FILE))
}

#[track_caller]
fn check_problem(text: &str, place: &str, what: &str) {
    let problem = read(text).unwrap_err();
    assert_eq!(problem.place.to_string(), place);
    assert!(problem.what.contains(what), "{problem}");
}

#[test]
fn wrong_file_names_the_line_and_the_setting() {
    check_problem("root = \"/r\"", FILE, "\"url\" is missing");
    check_problem("root = \"r\"\nurl = \"/b\"", &format!("{FILE}:1"), "not absolute");
    check_problem("root = \"/r\"\nurl = \"fodler:/b\"", &format!("{FILE}:2"), "fodler");
    check_problem("root = \"/r\"\nurl = \"/b\"\nname = \"other\"", &format!("{FILE}:3"), "differs");
    check_problem("root = \"/r\"\nurl = \"/b\"\nautto = 1", &format!("{FILE}:3"), "autto");
}

#[test]
fn root_is_found_in_a_file_that_is_wrong_elsewhere() {
    let text = "url = 3\nurl =\n root = \"/r\" # mine\n";
    assert_eq!(root_in(text), Some(PathBuf::from("/r")));
    assert_eq!(root_in("roof = \"/r\""), None);
}

#[test]
fn written_file_reads_back_the_same() {
    let config = ProjectConfig {
        name: "notes".into(),
        root: "/home/ann/no\"tes".into(),
        url: BackendUrl::parse("/mnt/nas").unwrap(),
        narrowing: narrowing(None, Some(vec!["draft/**".into()])),
        poll_interval: Some(Seconds(5)),
        auto: AutoSettings {
            mode: Some(AutoMode::Both),
            quiet: Some(Seconds(3)),
            wake: Some(WakeMode::Conflict),
            is_paused: true,
        },
        hold: Some(false),
        memory: MemoryFolders::new(),
        settings: Settings::default(),
    };
    assert_eq!(read(&config.to_text()).unwrap(), config);
}

const SFTP: &str = "root = \"/r\"\nurl = \"sftp://nas/notes\"\n";

#[test]
fn keys_of_a_service_read_back_the_same_and_are_shown() {
    let keys = "key_file = \"~/.ssh/id\"\nssh_options = [\"ProxyJump=a\", \"Ciphers=+x\"]\n";
    let config = read(&format!("{SFTP}{keys}")).unwrap();
    assert_eq!(read(&config.to_text()).unwrap(), config);
    let source = Source::parse(Path::new("/m"), "").unwrap();
    let daemon = DaemonSettings::read(&source, &super::super::Environment::default()).unwrap();
    let shown: Vec<_> = config
        .effective(None, &daemon)
        .into_iter()
        .filter(|one| config.url.kind().keys().iter().any(|key| key.name == one.key))
        .map(|one| (one.value, one.origin))
        .collect();
    let unset = (String::new(), Origin::Default);
    assert_eq!(shown[0], ("~/.ssh/id".to_owned(), Origin::Project));
    assert_eq!(shown[1..3], [unset.clone(), unset]);
    assert!(shown[3].0.contains("\"Ciphers=+x\""), "{}", shown[3].0);
}

#[test]
fn key_of_a_service_that_is_wrong_or_out_of_place_names_its_line() {
    let place = format!("{FILE}:3");
    check_problem(&format!("{SFTP}key_file = \"id\""), &place, "absolute");
    let option = "ssh_options = [\"BatchMode=no\"]";
    check_problem(&format!("{SFTP}{option}"), &place, "BatchMode");
    let folder = "root = \"/r\"\nurl = \"/b\"\nkey_file = \"/k\"";
    check_problem(folder, &place, "for sftp backends");
}

#[test]
fn secret_is_shown_to_nobody() {
    let token = Key {
        name: "token",
        shape: Shape::Text,
        is_secret: true,
        help: "a secret",
        check: |_| Ok(()),
    };
    let mut config = read(SFTP).unwrap();
    config.settings.set(&token, KeyValue::Text("hunter2".into()));

    let shown = config.effective_key(&token);

    assert_eq!((shown.value.as_str(), shown.origin), ("***", Origin::Project));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn empty_value_unsets_a_key() {
    let config = read(&format!("{SFTP}key_file = \"\"\nssh_options = []")).unwrap();
    assert_eq!(config.settings, Settings::default());
}

#[test]
fn settings_say_where_they_come_from() {
    let config = read("root = \"/r\"\nurl = \"/b\"").unwrap();
    let source = Source::parse(Path::new("/m"), "").unwrap();
    let daemon = DaemonSettings::read(&source, &super::super::Environment::default()).unwrap();
    let shared = Patterns { include: vec!["**/*".into()], exclude: vec![] };
    let settings = config.effective(Some(&shared), &daemon);
    let find = |key: &str| settings.iter().find(|one| one.key == key).unwrap();
    assert_eq!(
        (find("patterns").value.trim(), find("patterns").origin),
        ("[\"**/*\"]", Origin::Shared)
    );
    assert_eq!(find("poll_interval").origin, Origin::Default);
    assert_eq!(find("url").origin, Origin::Project);
}

#[test]
fn names_that_no_file_or_command_line_can_hold_are_refused() {
    for name in ["", ".hidden", "-x", "a/b", "a\nb", "ends "] {
        assert!(check_name(name).is_err(), "{name:?}");
    }
    for name in ["notes", "My Notes", "été-2", "a.b_c"] {
        assert_eq!(check_name(name), Ok(()), "{name:?}");
    }
}

#[test]
fn what_goes_by_itself_is_checked_and_off_by_default() {
    let text = "root = \"/r\"\nurl = \"/b\"\n";
    assert_eq!(read(text).unwrap().auto, AutoSettings::default());
    let place = format!("{FILE}:3");
    check_problem(&format!("{text}auto = \"always\""), &place, "both");
    check_problem(&format!("{text}auto_quiet = 31"), &place, "between");
    check_problem(&format!("{text}auto_quiet = 0"), &place, "between");
}
