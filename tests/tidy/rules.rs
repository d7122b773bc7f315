//! The code and `docs/protocol.md` speak of the same rules.
//!
//! A rule that is cited is defined there, one that is defined is cited or marked
//! as not built yet, and what that page names, files, functions and tests, is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::{SourceFile, defines, files, nothing_in, rust_files};
use crate::support::repository;

const PAGE: &str = "docs/protocol.md";

/// Where rules are taken away to see that it is found.
const PLANTS: &str = "tests/simulation/src/plants.rs";

const LETTERS: &str = "LPBMVRGS";

/// Names that services have too. They are rules only in parentheses.
const ALSO_SERVICES: [&str; 3] = ["B2", "R2", "S3"];

const NOT_BUILT: &str = "(not built yet)";

/// One section of the page.
struct Rule {
    name: String,
    is_built: bool,
    /// What it says, by the label of the line: `Rule`, `Reason`, `Kept`, `Attacked`.
    says: BTreeMap<String, String>,
}

/// Something that can cite rules.
struct Source {
    path: String,
    text: String,
    is_code: bool,
}

/// The rules of the page, in its order.
fn defined(page: &str) -> Vec<Rule> {
    let sections = page.split("\n### ").skip(1);
    sections.filter_map(|section| rule(section.split("\n## ").next()?)).collect()
}

fn rule(section: &str) -> Option<Rule> {
    let (heading, body) = section.split_at(section.find('\n')?);
    let name = heading.split(':').next().filter(|name| number(name).is_some())?;
    let items = body.split("\n- **").skip(1).filter_map(|item| item.split_once(":**"));
    let says = items.map(|(label, text)| (label.to_owned(), text.to_owned())).collect();
    Some(Rule { name: name.to_owned(), is_built: !heading.ends_with(NOT_BUILT), says })
}

/// The letter and the number of a rule's name.
fn number(name: &str) -> Option<(char, u32)> {
    let letter = name.chars().next().filter(|letter| LETTERS.contains(*letter))?;
    let digits = &name[1..];
    let is_number = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten().map(|number| (letter, number))
}

/// The rules between two parentheses, if there is nothing else: `B3`, `L1, L3`,
/// `V2-V5`, `V2 to V5`.
fn group(text: &str) -> Option<Vec<String>> {
    let text = text.replace('-', " to ").replace(',', " ");
    let (mut names, mut is_range) = (Vec::<String>::new(), false);
    for word in text.split_whitespace() {
        match (word, number(word)) {
            ("to", _) if !names.is_empty() => is_range = true,
            ("and", _) => {}
            (_, Some((letter, last))) if std::mem::take(&mut is_range) => {
                let (_, first) = names.last().and_then(|name| number(name))?;
                names.extend((first + 1..=last).map(|between| format!("{letter}{between}")));
            }
            (_, Some(_)) => names.push(word.to_owned()),
            _ => return None,
        }
    }
    (!names.is_empty()).then_some(names)
}

fn in_parentheses(text: &str) -> impl Iterator<Item = String> {
    let groups = text.split('(').skip(1).filter_map(|rest| group(rest.split_once(')')?.0));
    groups.flatten()
}

/// Names in the comments of code, and those that the code asks for: `Rule::B3`.
fn in_code(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines() {
        let comment = line.split_once("//").map_or("", |(_, comment)| comment);
        names.extend(in_parentheses(comment));
        let words = comment.split(|letter: char| !letter.is_alphanumeric());
        let words = words.filter(|word| number(word).is_some() && !ALSO_SERVICES.contains(word));
        names.extend(words.map(str::to_owned));
        let asked = line.split("Rule::").skip(1).filter_map(|rest| {
            let digits = rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
            rest.get(..=digits).filter(|name| number(name).is_some())
        });
        names.extend(asked.map(str::to_owned));
    }
    names
}

impl Source {
    fn cites(&self) -> BTreeSet<String> {
        if self.is_code { in_code(&self.text) } else { in_parentheses(&self.text).collect() }
    }
}

/// What is wrong between the rules and those who cite them.
fn breaches(rules: &[Rule], sources: &[Source]) -> Vec<String> {
    let mut findings = Vec::new();
    let mut built = BTreeMap::new();
    for rule in rules {
        if built.insert(rule.name.as_str(), rule.is_built).is_some() {
            findings.push(format!("{} is defined twice", rule.name));
        }
    }
    let mut cited = BTreeSet::new();
    for source in sources {
        for name in source.cites() {
            match built.get(name.as_str()) {
                None => findings.push(format!("{} cites {name}: undefined", source.path)),
                Some(false) if source.is_code => {
                    let what = "is built by now: take the mark away, say where it is kept";
                    findings.push(format!("{} cites {name}, so it {what}", source.path));
                }
                Some(_) if source.is_code => drop(cited.insert(name)),
                Some(_) => {}
            }
        }
    }
    let uncited = rules.iter().filter(|rule| rule.is_built && !cited.contains(&rule.name));
    findings.extend(uncited.map(|rule| format!("no code cites {}", rule.name)));
    findings
}

/// What the page leaves unsaid of its rules.
fn gaps(rules: &[Rule]) -> Vec<String> {
    let labels = |rule: &Rule| match rule.is_built {
        true => &["Rule", "Reason", "Kept", "Attacked"][..],
        false => &["Rule", "Reason"][..],
    };
    let missing = |rule: &Rule| {
        let lacks = labels(rule).iter().filter(|label| !rule.says.contains_key(**label));
        lacks.map(|label| format!("{} has no line {label}", rule.name)).collect::<Vec<_>>()
    };
    rules.iter().flat_map(missing).collect()
}

/// What stands between backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// What a rule names and `read` doesn't find: a file, an item of the file named
/// before it, a planted fault.
fn dead_ends(rule: &Rule, read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut findings = Vec::new();
    for label in ["Kept", "Attacked"] {
        let Some(text) = rule.says.get(label) else { continue };
        let (mut file, mut files) = (None, 0);
        for word in quoted(text) {
            let is_there = if word.contains('/') {
                (file, files) = (read(word), files + 1);
                file.is_some()
            } else if is_fault(word) {
                read(PLANTS).is_some_and(|plants| plants.contains(&format!("(\"{word}\"")))
            } else {
                file.as_ref().is_none_or(|text| defines(text, word))
            };
            if !is_there {
                findings.push(format!("{}: there is no {word}", rule.name));
            }
        }
        if files == 0 {
            findings.push(format!("{}: {label} names no file", rule.name));
        }
    }
    findings
}

/// A rule's name, or one with more behind it: `B3-target`.
fn is_fault(word: &str) -> bool {
    number(word.split('-').next().unwrap_or_default()).is_some()
}

fn page() -> Vec<Rule> {
    let rules = defined(&SourceFile::read(&repository().join(PAGE)).text);
    assert!(!rules.is_empty(), "no rule was found in {PAGE}: has its form changed?");
    rules
}

/// All that can cite a rule, but the page itself and the tests of its form.
fn sources() -> Vec<Source> {
    let source = |is_code: bool| {
        move |SourceFile { path, text }| Source { path: path.display().to_string(), text, is_code }
    };
    let code = rust_files().into_iter().chain(files("proto", "proto")).map(source(true));
    let documents = files("docs", "md").into_iter().map(source(false));
    let is_other = |source: &Source| source.path != PAGE && !source.path.starts_with("tests/tidy");
    code.chain(documents).filter(is_other).collect()
}

#[test]
fn rules_are_defined_where_they_are_cited_and_cited_where_they_are_defined() {
    nothing_in(breaches(&page(), &sources()));
}

#[test]
fn rules_have_a_reason_a_place_and_a_test() {
    nothing_in(gaps(&page()));
}

#[test]
fn what_the_protocol_names_is_there() {
    let read = |path: &str| fs::read_to_string(repository().join(path)).ok();
    nothing_in(page().iter().flat_map(|rule| dead_ends(rule, read)));
}

#[test]
fn planted_faults_stand_with_their_rules() {
    let plants = SourceFile::read(&repository().join(PLANTS)).text;
    let lines = plants.lines().filter_map(|line| line.trim().strip_prefix("(\""));
    let faults: Vec<&str> = lines.filter_map(|line| line.split('"').next()).collect();
    assert!(faults.len() > 10, "the table of planted faults was not found");
    let told = |fault: &str, rule: &Rule| {
        let attacked = rule.says.get("Attacked").map_or("", String::as_str);
        fault.split('-').next() == Some(&rule.name) && quoted(attacked).any(|word| word == fault)
    };
    let rules = page();
    let untold = faults.iter().filter(|fault| !rules.iter().any(|rule| told(fault, rule)));
    nothing_in(untold.map(|fault| format!("{PAGE} does not tell that {fault} is taken away")));
}

/// Two rules that are built and one that isn't.
const SMALL_PAGE: &str = "# Page

## B

### B1: One
- **Rule:** it holds.
- **Reason:** it must.
- **Kept:** `a/keeps.rs` (`keep`).
- **Attacked:** `a/tests.rs` (`it_holds`); taken away there as `B1`.

### B2: Two
- **Rule:** it holds, too.
- **Kept:** in the code.
- **Attacked:** `a/gone.rs` (`it_holds`), `a/tests.rs`
  (`it_held`); taken away there as `B2-late`.

## S

### S1: Three (not built yet)
- **Rule:** it will hold.
- **Reason:** it must.
";

#[track_caller]
fn check(texts: &[(&str, bool)], expected: &[&str]) {
    let source = |(number, (text, is_code)): (usize, &(&str, bool))| Source {
        path: format!("{number}"),
        text: (*text).to_owned(),
        is_code: *is_code,
    };
    let sources: Vec<Source> = texts.iter().enumerate().map(source).collect();
    assert_eq!(breaches(&defined(SMALL_PAGE), &sources), expected, "{texts:?}");
}

#[test]
fn citations_without_a_rule_and_rules_without_a_citation_are_found() {
    let both = "/// Keeps B1: this is why.\nlet x = 1; // as agreed (B2)\n";
    check(&[(both, true)], &[]);
    check(&[("// (B1-B2)", true)], &[]);
    check(&[("// (B1 to B2)", true), ("some text (S1).", false)], &[]);
    check(&[("// (B1)\nstands(Rule::B1Target)", true)], &["no code cites B2"]);
    check(&[(both, true), ("// (B3)", true)], &["1 cites B3: undefined"]);
    check(&[(both, true), ("some text (B1, L1).", false)], &["1 cites L1: undefined"]);
    check(&[("// (B1)", true), ("some text (B2).", false)], &["no code cites B2"]);
    check(&[("// (B1)\n// bought at B2", true)], &["no code cites B2"]);
    check(&[("f(B1, B2)", true)], &["no code cites B1", "no code cites B2"]);
    let late = "0 cites S1, so it is built by now: take the mark away, say where it is kept";
    check(&[("// (B1, B2, S1)", true)], &[late]);
}

#[test]
fn rules_that_are_told_by_half_are_found() {
    let rules = defined(SMALL_PAGE);
    assert_eq!(rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["B1", "B2", "S1"]);
    assert_eq!(gaps(&rules), ["B2 has no line Reason"]);
    let read = |path: &str| match path {
        "a/keeps.rs" => Some("fn keep() {}".to_owned()),
        "a/tests.rs" => Some("fn it_holds() { it_held() }".to_owned()),
        PLANTS => Some("(\"B1\", 1),".to_owned()),
        _ => None,
    };
    assert_eq!(dead_ends(&rules[0], read), Vec::<String>::new());
    assert_eq!(
        dead_ends(&rules[1], read),
        [
            "B2: Kept names no file",
            "B2: there is no a/gone.rs",
            "B2: there is no it_held",
            "B2: there is no B2-late",
        ]
    );
}
