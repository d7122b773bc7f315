//! What is covered, and why not.

use super::super::agents::{Agent, Seen};
use super::*;

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn everything() -> Patterns {
    Patterns { include: vec!["**/*".into()], exclude: vec![] }
}

fn ignoring(ignore: &str) -> Coverage {
    let source = CoverageSource {
        project: everything(),
        ignore: ignore.into(),
        ..CoverageSource::default()
    };
    Coverage::new(source).unwrap()
}

fn by_git(texts: &[(&str, &str)]) -> Coverage {
    let owned = |(folder, text): &(&str, &str)| ((*folder).to_owned(), (*text).to_owned());
    let source = CoverageSource {
        gitignore: Some(texts.iter().map(owned).collect()),
        ..CoverageSource::default()
    };
    Coverage::new(source).unwrap()
}

#[track_caller]
fn check(coverage: &Coverage, text: &str, expected: bool) {
    let path = path(text);
    assert_eq!(coverage.covers(&path), expected, "{text:?}");
    // Whatever is covered lies in folders that a walk enters.
    if expected && text != IGNORE_FILE {
        let mut above = path.parent();
        while let Some(folder) = above {
            assert!(coverage.may_hold(&folder), "{folder} of {text:?}");
            above = folder.parent();
        }
    }
}

#[test]
fn markdown_is_mirrored_by_default() {
    let coverage = Coverage::new(CoverageSource::default()).unwrap();
    check(&coverage, "CLAUDE.md", true);
    check(&coverage, "notes/a.md", true);
    check(&coverage, "a.txt", false);
}

#[test]
fn machine_can_only_narrow() {
    let narrowing = Patterns { include: vec!["docs/**".into()], exclude: vec!["docs/old".into()] };
    let project = Patterns::default();
    let narrowing = Some(narrowing);
    let source = CoverageSource { project, narrowing, ..CoverageSource::default() };
    let coverage = Coverage::new(source).unwrap();

    check(&coverage, "docs/a.md", true);
    check(&coverage, "docs/a.txt", false);
    check(&coverage, "a.md", false);
    check(&coverage, "docs/old/a.md", false);
    assert!(!coverage.may_hold(&path("src")));
    assert!(!coverage.may_hold(&path("docs/old")));
}

#[test]
fn ignored_folder_is_pruned_with_all_below() {
    let coverage = ignoring("build/\n!build/keep.md\n*.log\n!important.log\n");
    check(&coverage, "build/a.md", false);
    check(&coverage, "build/keep.md", false);
    check(&coverage, "a/b.log", false);
    check(&coverage, "a/important.log", true);
    check(&coverage, "build", true);
    assert!(!coverage.may_hold(&path("build")));
    assert!(!coverage.may_hold(&path("build/deep")));
    assert!(coverage.may_hold(&path("a")));
    assert!(coverage.ignores(&path("build")) && coverage.ignores(&path("build/keep.md")));
    assert!(!coverage.ignores(&path("a")));
}

#[test]
fn ignore_file_is_mirrored_whatever_the_rules() {
    let coverage = ignoring("*\n.mirrorignore\n");
    check(&coverage, ".mirrorignore", true);
    check(&coverage, "a/.mirrorignore", false);
    let markdown = Coverage::new(CoverageSource::default()).unwrap();
    check(&markdown, ".mirrorignore", true);
}

#[test]
fn left_overs_are_never_mirrored_nor_what_lies_in_them() {
    let coverage = ignoring("!*\n");
    check(&coverage, "a.md~", false);
    check(&coverage, "notes/.a.md.swp", false);
    check(&coverage, ".mirrord-01J/a", false);
    assert!(!coverage.may_hold(&path(".mirrord-01J")));
}

#[test]
fn folder_that_is_named_like_an_editors_file_is_a_folder() {
    let coverage = ignoring("");
    for folder in ["a~", ".#x", "#a#", "4913", ".a.swp", "~$x", ".~lock.a#"] {
        check(&coverage, &format!("{folder}/a.md"), true);
        check(&coverage, folder, false);
    }
}

#[test]
fn own_folders_are_never_covered_nor_what_lies_in_them() {
    let source = CoverageSource {
        project: everything(),
        own: vec![path(".config/mirrord")],
        ..CoverageSource::default()
    };
    let coverage = Coverage::new(source).unwrap();
    check(&coverage, ".config/mirrord/machine_id", false);
    check(&coverage, ".config/mirrord", false);
    check(&coverage, ".config/mirrord.toml", true);
    assert!(!coverage.may_hold(&path(".config/mirrord")));
    assert!(!coverage.may_hold(&path(".config/mirrord/projects")));
    assert!(coverage.may_hold(&path(".config")));
}

#[test]
fn what_an_agent_keeps_to_its_machine_is_covered_by_nothing() {
    let source = CoverageSource {
        project: everything(),
        ignore: "!*\n".into(),
        ignore_through: vec![path(".claude/.credentials.json"), path("cfg/debug/rules")],
        gitignore: Some(BTreeMap::default()),
        agents: vec![AgentFolder { agent: Agent::Claude, seen: Seen::Below(path("cfg")) }],
        ..CoverageSource::default()
    };
    let coverage = Coverage::new(source).unwrap();
    for name in
        [".claude/.credentials.json", "cfg/debug/rules", "cfg/.claude.json", "cfg/todos/.gitignore"]
    {
        check(&coverage, name, false);
        assert!(!coverage.holds_rules(&path(name)));
        assert_eq!(coverage.why_not(&path(name)), Some(Left::OfAgent), "{name}");
    }
    assert!(!coverage.may_hold(&path("cfg/todos")) && !coverage.may_hold(&path("CFG/Debug/a")));
    assert!(coverage.may_hold(&path("cfg")));
    check(&coverage, "cfg/CLAUDE.md", true);
}

#[test]
fn what_the_ignore_file_leads_to_is_mirrored_with_it() {
    let source = CoverageSource {
        ignore: "rules/\n".into(),
        ignore_through: vec![path("rules/shared.txt")],
        ..CoverageSource::default()
    };
    let coverage = Coverage::new(source).unwrap();
    check(&coverage, "rules/shared.txt", true);
    check(&coverage, "rules/a.md", false);
}

#[test]
fn ignore_file_that_leads_to_what_is_ours_takes_none_of_it_along() {
    let source = CoverageSource {
        project: everything(),
        ignore_through: vec![path(".config/mirrord/machine_id"), path("rules.txt")],
        gitignore: Some([(".config/mirrord".to_owned(), String::new())].into()),
        own: vec![path(".config/mirrord")],
        ..CoverageSource::default()
    };
    let coverage = Coverage::new(source).unwrap();
    for own in [".config/mirrord/machine_id", ".config/mirrord/.gitignore"] {
        check(&coverage, own, false);
        assert!(!coverage.holds_rules(&path(own)));
        assert_eq!(coverage.why_not(&path(own)), Some(Left::Own));
    }
    assert!(!coverage.may_hold(&path(".config/mirrord")));
    check(&coverage, "rules.txt", true);
}

#[test]
fn files_of_git_rules_are_mirrored_where_what_they_are_about_is() {
    let coverage = by_git(&[("", "*.secret.md\ntmp/\n.gitignore\n"), ("a", "!b.secret.md\n")]);
    check(&coverage, ".gitignore", true);
    check(&coverage, "a/.gitignore", true);
    check(&coverage, "tmp/.gitignore", false);
    check(&coverage, "x.secret.md", false);
    check(&coverage, "a/b.secret.md", true);
    let markdown = Coverage::new(CoverageSource::default()).unwrap();
    check(&markdown, ".gitignore", false);
}

#[test]
fn rules_that_are_added_hold_as_if_they_had_been_there() {
    let texts = [("", "*.secret.md\ntmp/\n"), ("a", "!b.secret.md\n")];
    let mut coverage = by_git(&[]);
    for (folder, text) in texts {
        coverage.add_git_rules(folder.to_owned(), text.to_owned());
    }
    check(&coverage, "x.secret.md", false);
    check(&coverage, "a/b.secret.md", true);
    assert_eq!(coverage, by_git(&texts));
    assert_eq!(&coverage.clone().into_source(), coverage.source());
}

#[test]
fn why_not_names_the_rule_that_leaves_a_path_out() {
    let source = CoverageSource {
        project: Patterns {
            include: vec!["**/*.md".into()],
            exclude: vec!["old.md".into(), "**/node_modules/**".into()],
        },
        narrowing: Some(Patterns { include: vec!["**/*".into()], exclude: vec!["x".into()] }),
        ignore: "# secrets\nsecret*\r\n".into(),
        gitignore: Some([("a".to_owned(), "\n/b.md\n".to_owned())].into()),
        own: vec![path("own")],
        ..CoverageSource::default()
    };
    let coverage = Coverage::new(source).unwrap();
    let why = |text: &str| coverage.why_not(&path(text));
    let ignored = |file: &str, line, rule: &str| {
        Some(Left::Ignored { file: file.into(), line, rule: rule.into() })
    };
    assert_eq!(why("a.md"), None);
    assert_eq!(why("a.txt"), Some(Left::NoPattern { include: vec!["**/*.md".into()] }));
    assert_eq!(why("secret.md"), ignored(".mirrorignore", 2, "secret*"));
    assert_eq!(why("a/b.md"), ignored("a/.gitignore", 2, "/b.md"));
    assert_eq!(why("own/a.md"), Some(Left::Own));
    assert_eq!(why("a.md~"), Some(Left::Temporary));
    assert_eq!(why("x/a.md"), Some(Left::Narrowed));
    assert_eq!(why("old.md"), Some(Left::Excluded { glob: "old.md".into() }));
    let modules = Some(Left::Excluded { glob: "**/node_modules/**".into() });
    assert_eq!(why("a/node_modules/b.md"), modules);
}

#[test]
fn coverage_read_back_is_equal_and_other_text_is_not() {
    let coverage = ignoring("*.log\n");
    let json = serde_json::to_string(coverage.source()).unwrap();
    let read: CoverageSource = serde_json::from_str(&json).unwrap();

    assert_eq!(Coverage::new(read).unwrap(), coverage);
    assert_ne!(ignoring("*.log"), coverage);
}
