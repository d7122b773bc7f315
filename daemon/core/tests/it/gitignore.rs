//! `.mirrorignore` means what the same text means to git.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mirror_core::RelPath;
use mirror_core::patterns::{Coverage, CoverageSource, Patterns};

use crate::dice::Dice;

/// Pieces of patterns, chosen to be where implementations differ.
const PIECES: [&str; 36] = [
    "a",
    "b",
    "*",
    "?",
    "a*",
    "*a",
    "*.md",
    "[ab]",
    "[!a]",
    "[^a]",
    "[a-c]",
    "{a,b}",
    "a\\{b",
    "**",
    "a**",
    "a**b",
    "a ",
    "a\\ ",
    "a  ",
    "\\#a",
    "#a",
    "\\!a",
    "[[:alpha:]]",
    "[![:digit:]]*",
    "[a",
    "a]",
    "\\*",
    "a\\",
    "é",
    "[é]",
    "a\t",
    "[]a]",
    "[\\]]",
    "**a",
    "a.md",
    "[a-]",
];

const NAMES: [&str; 22] = [
    "a", "b", "c", "ab", "ba", "a.md", "b.md", "{a,b}", "a{b", "a ", "#a", "!a", "*", "é", "[a",
    "a]", "]", "-", "7", "axb", "a  ", "^",
];

impl Dice {
    fn pattern(&mut self) -> String {
        let start = self.pick(&["", "", "", "/", "!", "!/"]);
        let pieces: Vec<&str> = (0..=self.below(3)).map(|_| self.pick(&PIECES)).collect();
        format!("{start}{}{}", pieces.join("/"), self.pick(&["", "", "/", "\r"]))
    }

    fn path(&mut self) -> String {
        let names: Vec<&str> = (0..=self.below(3)).map(|_| self.pick(&NAMES)).collect();
        names.join("/")
    }
}

struct Case {
    ignore: String,
    paths: BTreeSet<String>,
}

fn cases() -> Vec<Case> {
    let mut dice = Dice(7);
    let one_each = PIECES.iter().map(|piece| (*piece).to_owned());
    let written = [
        "a/\n!a/b\n",
        "a/*\n!a/b\n",
        "*\n!*/\n!*.md\n",
        "/*\n!/a\n/a/*\n!/a/b\n",
        "**/b\n",
        "a/**\n",
        "a/**/b\n",
        "\u{feff}a\n",
        "# a\n\n   \nb",
        "a\r\nb\r\n",
        "!a\na\n",
        "a\n!a\n",
        "a//b\n",
        "/\n",
        "!\n",
        "a/b/\n",
        "**/\n",
        "*/b\n",
        "a/?\n",
        "[z-a]\n",
        "\\a\n",
        "a/**b\n",
    ];
    let drawn: Vec<String> =
        (0..600).map(|_| (0..=dice.below(4)).map(|_| dice.pattern() + "\n").collect()).collect();
    let texts = one_each.chain(written.map(str::to_owned)).chain(drawn);
    texts.map(|ignore| Case { ignore, paths: (0..60).map(|_| dice.path()).collect() }).collect()
}

/// A folder of its own for this run.
fn scratch() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("mirror-core-gitignore-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn git(folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut git = Command::new("git")
        .args(["-c", "core.excludesFile=/dev/null", "-c", "core.ignoreCase=false"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = git.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || pipe.write_all(input.as_bytes()));
    let output = git.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    // `check-ignore` says 1 when nothing is ignored.
    assert!(matches!(output.status.code(), Some(0 | 1)), "git {arguments:?} failed");
    String::from_utf8(output.stdout).unwrap()
}

/// Asks git about all cases at once, each in a folder of its own.
fn ignored_by_git(cases: &[Case]) -> BTreeSet<String> {
    let folder = scratch();
    git(&folder, &["init", "--quiet", "."], "");
    let mut input = String::new();
    for (number, case) in cases.iter().enumerate() {
        fs::create_dir(folder.join(number.to_string())).unwrap();
        fs::write(folder.join(format!("{number}/.gitignore")), &case.ignore).unwrap();
        for path in &case.paths {
            write!(input, "{number}/{path}\0").unwrap();
        }
    }
    let ignored = git(&folder, &["check-ignore", "--no-index", "-z", "--stdin"], &input);
    fs::remove_dir_all(&folder).unwrap();
    ignored.split_terminator('\0').map(str::to_owned).collect()
}

/// Folders in which an ignore file of a nested case may lie.
const FOLDERS: [&str; 5] = ["", "a", "a/b", "b", "c"];

/// Several ignore files in one tree, as texts by their folder.
struct Nested {
    texts: BTreeMap<String, String>,
    paths: BTreeSet<String>,
}

fn nested_cases() -> Vec<Nested> {
    let mut dice = Dice(11);
    let text = |dice: &mut Dice| -> String {
        (0..=dice.below(3)).map(|_| dice.pattern() + "\n").collect()
    };
    (0..400)
        .map(|_| {
            let mut texts = BTreeMap::new();
            for folder in FOLDERS {
                if dice.below(3) > 0 {
                    texts.insert(folder.to_owned(), text(&mut dice));
                }
            }
            // What is a folder on the disk is one to git, too.
            let paths = (0..60).map(|_| dice.path()).filter(|path| !FOLDERS.contains(&&**path));
            Nested { texts, paths: paths.collect() }
        })
        .collect()
}

fn nested_ignored_by_git(cases: &[Nested]) -> BTreeSet<String> {
    let root = scratch().with_extension("nested");
    fs::create_dir_all(&root).unwrap();
    git(&root, &["init", "--quiet", "."], "");
    let mut input = String::new();
    for (number, case) in cases.iter().enumerate() {
        for (folder, text) in &case.texts {
            let folder = root.join(number.to_string()).join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(".gitignore"), text).unwrap();
        }
        for path in &case.paths {
            write!(input, "{number}/{path}\0").unwrap();
        }
    }
    let ignored = git(&root, &["check-ignore", "--no-index", "-z", "--stdin"], &input);
    fs::remove_dir_all(&root).unwrap();
    ignored.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn nested_ignore_files_mean_together_what_they_mean_to_git() {
    let cases = nested_cases();
    let by_git = nested_ignored_by_git(&cases);
    let mut differences = String::new();
    for (number, case) in cases.iter().enumerate() {
        let project = Patterns { include: vec!["**/*".into()], exclude: vec![] };
        let gitignore = Some(case.texts.clone());
        let source = CoverageSource { project, gitignore, ..CoverageSource::default() };
        let coverage = Coverage::new(source).unwrap();
        for text in &case.paths {
            let ours = !coverage.covers(&RelPath::new(text).unwrap());
            if ours != by_git.contains(&format!("{number}/{text}")) {
                writeln!(differences, "{:?} {text:?}: ours {ours}", case.texts).unwrap();
            }
        }
    }
    assert_eq!(differences, "", "git says otherwise");
    assert!(by_git.len() > 1_000, "the cases say too little");
}

fn coverage(ignore: &str) -> Coverage {
    let project = Patterns { include: vec!["**/*".into()], exclude: vec![] };
    Coverage::new(CoverageSource { project, ignore: ignore.into(), ..CoverageSource::default() })
        .unwrap()
}

#[test]
fn ignore_file_means_what_it_means_to_git() {
    let cases = cases();
    let by_git = ignored_by_git(&cases);
    let mut differences = String::new();
    for (number, case) in cases.iter().enumerate() {
        let coverage = coverage(&case.ignore);
        for text in &case.paths {
            let ours = !coverage.covers(&RelPath::new(text).unwrap());
            if ours != by_git.contains(&format!("{number}/{text}")) {
                writeln!(differences, "{:?} {text:?}: ours {ours}", case.ignore).unwrap();
            }
        }
    }
    assert_eq!(differences, "", "git says otherwise");
    assert!(by_git.len() > 1_000, "the cases say too little");
}
