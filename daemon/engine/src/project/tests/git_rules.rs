//! A project that goes by git's ignore files covers what git doesn't ignore, and
//! all of its machines the same.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use mirror_core::patterns::{Coverage, CoverageSource};

use super::*;
use crate::outside::{DirEntry, Tree};
use crate::project::rules::{GitRules, read_git_rules};
use crate::real::LocalTree;

/// A project by git's rules, and two machines that have it.
async fn story() -> (World, Machine, Machine) {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    let shared = SharedSettings { gitignore: true, ..settings(&["**/*.md"]) };
    laptop.runs(Job::ChangeSettings { settings: shared }).await.unwrap();
    laptop.writes(".gitignore", "secret.md\n/node_modules/\n");
    laptop.writes("docs/.gitignore", "!secret.md\ndraft*\n");
    for name in [
        "a.md",
        "secret.md",
        "node_modules/x/README.md",
        "node_modules/x/.gitignore",
        "docs/secret.md",
        "docs/draft.md",
        "docs/b.md",
        "code.rs",
    ] {
        laptop.writes(name, "old");
    }
    laptop.pushes().await;
    let desktop = world.machine("desktop").await;
    (world, laptop, desktop)
}

#[tokio::test]
async fn what_git_ignores_stays_out_and_its_rules_go_along() {
    let (world, laptop, desktop) = story().await;
    let expected = [".gitignore", "a.md", "docs/.gitignore", "docs/b.md", "docs/secret.md"];
    assert_eq!(world.names("").into_iter().collect::<Vec<_>>(), expected);

    desktop.writes("secret.md", "of this machine");
    desktop.writes("node_modules/y/README.md", "of this machine");
    let report = desktop.syncs().await;
    assert_eq!((failed(&report), report.skipped_count), (vec![], 0));
    assert_eq!(world.names("").into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(desktop.reads("docs/secret.md").as_deref(), Some("old"));
    assert_eq!(laptop.unsettled().await, []);
}

#[tokio::test]
async fn new_rule_takes_away_the_base_and_deletes_nothing() {
    let (world, laptop, desktop) = story().await;
    desktop.pulls().await;
    laptop.writes("docs/.gitignore", "*.md\n");
    laptop.removes("docs/b.md");
    laptop.syncs().await;
    assert_eq!(world.text("docs/b.md").as_deref(), Some("old"));

    // There it is deleted beside the rule that has just come.
    desktop.syncs().await;
    assert_eq!(desktop.reads("docs/b.md").as_deref(), Some("old"));
    laptop.writes("docs/.gitignore", "draft*\n");
    laptop.syncs().await;
    assert_eq!(laptop.reads("docs/b.md").as_deref(), Some("old"), "it is covered again");
}

#[tokio::test]
async fn rules_come_before_what_they_keep() {
    let (_world, laptop, desktop) = story().await;
    desktop.pulls().await;
    laptop.writes("new/.gitignore", "kept.md\n");
    laptop.writes("docs/.gitignore", "b.md\n");
    laptop.pushes().await;
    let scope = Scope { names: vec!["docs/b.md".to_owned()] };
    laptop.runs(Job::DeleteIgnored { scope, message: None }).await.unwrap();

    desktop.writes("new/kept.md", "of this machine");
    desktop.syncs().await;
    assert_eq!(desktop.reads("docs/b.md").as_deref(), Some("old"));
    assert_eq!(laptop.syncs().await.files, []);
    assert_eq!(laptop.reads("new/kept.md"), None);
}

#[tokio::test]
async fn edit_in_the_view_goes_by_the_rules_too() {
    let (world, laptop, _desktop) = story().await;
    world.plant("docs/draft-outside.md", "x");
    world.plant("docs/note-outside.md", "x");
    laptop.syncs().await;
    assert_eq!(laptop.reads("docs/draft-outside.md"), None);
    assert_eq!(laptop.reads("docs/note-outside.md").as_deref(), Some("x"));
}

#[tokio::test]
async fn rules_that_can_not_be_read_keep_new_files_here() {
    let (world, laptop, _desktop) = story().await;
    laptop.writes("docs/.gitignore", b"\xff\xfed\0r\0a\0f\0t\0");
    laptop.writes("docs/draft-two.md", "x");
    laptop.writes("new.md", "x");
    laptop.writes("a.md", "new");
    let report = laptop.syncs().await;
    assert_eq!(failed(&report), ["docs/.gitignore"]);
    assert_eq!((world.text("docs/draft-two.md"), world.text("new.md")), (None, None));
    assert_eq!(world.text("a.md").as_deref(), Some("new"));
}

#[tokio::test]
async fn name_that_git_ignores_is_told_the_line() {
    let (_world, laptop, _desktop) = story().await;
    let error = laptop.tries_push(&["docs/draft.md"]).await.unwrap_err().to_string();
    assert!(error.contains("line 2 of docs/.gitignore ignores it (draft*)"), "{error}");
}

#[test]
fn link_says_nothing_as_to_git() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules"), "*\n").unwrap();
    symlink("rules", folder.path().join(".gitignore")).unwrap();
    assert_eq!(mirrored(folder.path()), untracked(folder.path()));
}

/// Numbers that look like chance and are the same on every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Fills a folder with folders, files and ignore files.
fn grow(draw: &mut Draw, folder: &Path, depth: usize) {
    const NAMES: [&str; 7] = ["a", "b", "c", "x.md", "y.md", "ab", "{a,b}"];
    const RULES: [&str; 14] = [
        "a", "a/", "/b", "*.md", "!x.md", "!a/", "b/*", "**/c", "c/**", "!*.md", "*", "!*/",
        "[ab]", "/a/b",
    ];
    fs::create_dir_all(folder).unwrap();
    if draw.below(2) == 0 {
        let rules: Vec<_> = (0..=draw.below(3)).map(|_| draw.pick(&RULES)).collect();
        fs::write(folder.join(".gitignore"), rules.join("\n")).unwrap();
    }
    for name in NAMES {
        match draw.below(5) {
            0 | 1 if depth > 0 => grow(draw, &folder.join(name), depth - 1),
            2 | 3 => fs::write(folder.join(name), "x").unwrap(),
            _ => {}
        }
    }
}

/// What git would add, the ignore files themselves left out.
fn untracked(root: &Path) -> BTreeSet<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "core.excludesFile=/dev/null"])
            .args(arguments)
            .current_dir(root)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    git(&["init", "--quiet", "."]);
    let listed = git(&["ls-files", "--others", "--exclude-standard", "-z"]);
    let names = listed.split_terminator('\0').filter(|name| !is_rules(name));
    names.map(str::to_owned).collect()
}

fn is_rules(name: &str) -> bool {
    name.rsplit('/').next() == Some(".gitignore")
}

/// What a project of everything by git's rules would take, without the same.
fn mirrored(root: &Path) -> BTreeSet<String> {
    let tree = LocalTree::open(root.to_owned());
    let project = Patterns { include: vec!["**/*".to_owned()], exclude: vec![] };
    let source = CoverageSource { project, ..CoverageSource::default() };
    let texts = read_git_rules(&tree, &source).unwrap().unwrap();
    let coverage = Coverage::new(CoverageSource { gitignore: Some(texts), ..source }).unwrap();
    let (mut found, mut left) = (BTreeSet::new(), vec![None]);
    while let Some(folder) = left.pop() {
        for entry in tree.list(folder.as_ref()).unwrap() {
            let name = entry.name.unwrap();
            let path = match &folder {
                Some(folder) => RelPath::join(folder, &name),
                None => RelPath::new(&name),
            };
            let Ok(path) = path else { continue };
            match entry.entry {
                DirEntry::Folder if coverage.may_hold(&path) => left.push(Some(path)),
                DirEntry::File(_) if coverage.covers(&path) && !is_rules(path.as_str()) => {
                    found.insert(path.as_str().to_owned());
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn tree_is_read_as_git_reads_it() {
    let mut draw = Draw(5);
    let mut files = 0;
    for _ in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        grow(&mut draw, folder.path(), 3);
        let expected = untracked(folder.path());
        assert_eq!(mirrored(folder.path()), expected, "{:?}", folder.path());
        files += expected.len();
    }
    assert!(files > 300, "the trees say too little: {files}");
}

#[test]
fn rules_of_many_folders_are_taken_up_in_time() {
    let mut rules = GitRules::new(&CoverageSource::default()).unwrap();
    for number in 0..20_000 {
        let file = rel(&format!("{number}/.gitignore"));
        rules.add(&file, format!("{number}.md\n")).unwrap();
    }
    assert!(!rules.may_hold(Some(&rel("7/7.md"))) && rules.may_hold(Some(&rel("7/8.md"))));
    assert_eq!(rules.into_texts().len(), 20_000);
}

#[tokio::test]
async fn more_rules_than_anybody_writes_are_not_gone_by() {
    let (world, laptop, desktop) = story().await;
    laptop.writes("docs/.gitignore", "?*\n".repeat(10_000));
    laptop.writes("new.md", "new");

    let report = laptop.syncs().await;
    assert_eq!(failed(&report), ["docs/.gitignore"]);
    assert!(report.failed[0].message.contains("wildcards"), "{report:?}");
    assert_eq!(world.text("new.md"), None);

    desktop.syncs().await;
    laptop.writes("docs/.gitignore", "draft*\n");
    assert_eq!(failed(&laptop.syncs().await), [""; 0]);
    assert_eq!(world.text("new.md").as_deref(), Some("new"));
}
