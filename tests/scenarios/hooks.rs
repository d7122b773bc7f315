//! Sessions of agents, by the hook that their hosts call.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Chance, Machine, World, daemons_of, eventually, processes, rounds};

/// What one call of the hook printed, and how it ended.
#[derive(Debug)]
struct Hooked {
    out: String,
    err: String,
    code: Option<i32>,
}

impl Hooked {
    /// What its model is told.
    fn context(&self) -> String {
        let Ok(document) = serde_json::from_str::<Value>(&self.out) else { return String::new() };
        let text = &document["hookSpecificOutput"]["additionalContext"];
        text.as_str().unwrap_or_default().to_owned()
    }

    fn watch_paths(&self) -> Vec<String> {
        let document: Value = serde_json::from_str(&self.out).unwrap_or_default();
        let paths = document["hookSpecificOutput"]["watchPaths"].as_array().cloned();
        let paths = paths.unwrap_or_default();
        paths.iter().map(|path| path.as_str().unwrap_or_default().to_owned()).collect()
    }

    fn is_silent(&self) -> bool {
        (self.out.as_str(), self.err.as_str(), self.code) == ("", "", Some(0))
    }
}

/// Calls the hook as Claude Code does.
#[track_caller]
fn hooks(machine: &Machine, event: &str, input: &Value) -> Hooked {
    calls(machine, &["hook", event], &input.to_string())
}

#[track_caller]
fn calls(machine: &Machine, words: &[&str], input: &str) -> Hooked {
    let mut command = machine.mirrorctl(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A hook that does not want it is gone by then.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().expect("a pipe").read_to_string(&mut out).expect("text");
    child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("text");
    let code = child.wait().expect("it ends").code();
    Hooked { out, err, code }
}

fn input(machine: &Machine, session: &str) -> Value {
    json!({"session_id": session, "cwd": machine.root(), "prompt": "go on"})
}

#[track_caller]
fn pushes(machine: &Machine, path: &str, content: &str) -> u64 {
    machine.writes(path, content);
    machine.asks(&["push"])["commit"].as_u64().expect("a commit")
}

/// Reads the log to this commit, as the daemon's own round does.
#[track_caller]
fn knows(machine: &Machine, seq: u64) {
    eventually("the commit to arrive", || machine.head() >= seq);
}

/// The laptop looks at the backend often, and has an open session.
fn two(world: &World) -> (Machine, Machine) {
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    let desktop = world.next_machine("desktop");
    laptop.runs(&["config", "set", "poll_interval", "2s"]).exits(0);
    eventually("the session to begin", || {
        !hooks(&laptop, "session-start", &input(&laptop, "s")).watch_paths().is_empty()
    });
    (laptop, desktop)
}

#[test]
fn session_is_told_of_a_push_once_and_of_the_file_at_hand_before_it_is_used() {
    let world = World::new();
    let (laptop, desktop) = two(&world);
    let said = input(&laptop, "s");
    assert!(hooks(&laptop, "user-prompt-submit", &said).is_silent());
    let seq = pushes(&desktop, "a.md", "better\n");
    knows(&laptop, seq);

    let mut tool = said.clone();
    tool["tool_input"] = json!({"file_path": laptop.path("a.md")});
    let first = hooks(&laptop, "pre-tool-use", &tool);
    assert!(first.context().contains("a.md: the project has a newer version"), "{first:?}");
    assert!(hooks(&laptop, "pre-tool-use", &tool).is_silent());
    let mut subagent = said.clone();
    subagent["agent_id"] = json!("a1");
    assert!(hooks(&laptop, "post-tool-batch", &subagent).is_silent());
    let told = hooks(&laptop, "post-tool-batch", &said);
    assert!(told.context().contains(&format!("#{seq} by tester on desktop")), "{told:?}");
    for event in ["post-tool-batch", "user-prompt-submit", "stop", "session-end"] {
        assert!(hooks(&laptop, event, &said).is_silent(), "{event}");
    }
    let codex = calls(&laptop, &["hook", "session-start", "--as", "codex"], &{
        input(&laptop, "another").to_string()
    });
    assert!(codex.context().contains("not in this folder yet"), "{codex:?}");
    assert_eq!(codex.watch_paths(), Vec::<String>::new());
}

#[test]
fn write_that_took_out_lines_of_others_is_told_with_the_command_that_shows_them() {
    let world = World::new();
    let (laptop, desktop) = two(&world);
    let seq = pushes(&desktop, "a.md", "a\nline of the desktop\n");
    laptop.runs(&["pull"]).exits(0);
    laptop.writes("a.md", "a\nmine\n");
    let mut tool = input(&laptop, "s");
    tool["tool_name"] = json!("Write");
    tool["tool_input"] = json!({"file_path": laptop.path("a.md"), "content": "a\nmine\n"});

    let told = hooks(&laptop, "post-tool-use", &tool).context();

    let command = format!("mirrorctl diff --from {seq} a.md");
    assert!(told.contains(&command), "{told}");
    let diff = laptop.runs(&["diff", "--from", &seq.to_string(), "a.md"]).exits(0).stdout;
    assert!(diff.contains("-line of the desktop"), "{diff}");
    assert!(hooks(&laptop, "post-tool-use", &tool).is_silent());
}

#[test]
fn bell_rings_within_two_seconds_and_wakes_where_that_is_wanted() {
    let world = World::new();
    let (laptop, desktop) = two(&world);
    laptop.runs(&["config", "set", "wake", "all"]).exits(0);
    let said = input(&laptop, "s");
    let mut bell = String::new();
    eventually("a bell", || {
        let paths = hooks(&laptop, "cwd-changed", &said).watch_paths();
        bell = paths.first().cloned().unwrap_or_default();
        !bell.is_empty()
    });
    let count = || std::fs::read_to_string(format!("{bell}/count")).unwrap_or_default();
    let before = count();
    let seq = pushes(&desktop, "a.md", "better\n");
    eventually("the bell to ring", || count() != before);

    let mut rung = said.clone();
    rung["file_path"] = json!(format!("{bell}/count"));
    let woken = hooks(&laptop, "file-changed", &rung);
    assert_eq!(woken.code, Some(2), "{woken:?}");
    assert!(woken.err.contains(&format!("#{seq} by tester on desktop")), "{woken:?}");
    assert_eq!((woken.watch_paths(), woken.context()), (vec![bell.clone()], String::new()));
    assert!(hooks(&laptop, "stop", &said).is_silent(), "the woken turn is over");
    let again = hooks(&laptop, "file-changed", &rung);
    assert_eq!((again.code, again.err.as_str()), (Some(0), ""));

    // Of a file that is none of ours nothing is said.
    let mut other = said.clone();
    other["file_path"] = json!(laptop.path("a.md"));
    assert_eq!(hooks(&laptop, "file-changed", &other).code, Some(0));
}

#[test]
fn hook_is_silent_whatever_is_wrong_and_starts_no_daemon() {
    let world = World::new();
    let (laptop, _desktop) = two(&world);
    let said = input(&laptop, "s").to_string();
    for (words, input) in [
        (vec!["hook", "user-prompt-submit"], "{nonsense"),
        (vec!["hook", "user-prompt-submit"], ""),
        (vec!["hook", "user-prompt-submit"], "[1, 2]"),
        (vec!["hook", "no-such-event"], said.as_str()),
        (vec!["hook", "stop", "--as", "nobody"], said.as_str()),
        (vec!["hook", "stop", "--later", "option"], said.as_str()),
        (vec!["hook", "user-prompt-submit"], r#"{"session_id":"s","cwd":"/"}"#),
    ] {
        assert!(calls(&laptop, &words, input).is_silent(), "{words:?} {input}");
    }

    let daemon = daemons_of(&laptop.home())[0];
    processes::send(daemon, Signal::STOP);
    assert!(calls(&laptop, &["hook", "user-prompt-submit"], &said).is_silent(), "it hangs");
    processes::send(daemon, Signal::CONT);
    laptop.loses_daemon();
    assert!(calls(&laptop, &["hook", "user-prompt-submit"], &said).is_silent(), "there is none");
    assert_eq!(daemons_of(&laptop.home()), Vec::<i32>::new());
}

/// The commits that a text tells of, one by one or as a range.
fn told_in(text: &str) -> BTreeSet<u64> {
    let number = |rest: &str| -> Option<u64> {
        rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
    };
    let mut told = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("- ")) {
        let numbers: Vec<u64> = line.split('#').skip(1).filter_map(number).collect();
        match (line.starts_with('#'), line.starts_with("besides"), &numbers[..]) {
            (true, _, [seq, ..]) | (_, true, [seq]) => drop(told.insert(*seq)),
            (_, true, [first, last]) => told.extend(*first..=*last),
            _ => {}
        }
    }
    told
}

/// One machine of a story, what its session's model has seen, and what may have been lost.
struct Agent {
    machine: Machine,
    seen: BTreeMap<u64, usize>,
    excused: BTreeSet<u64>,
    own: BTreeSet<u64>,
}

impl Agent {
    fn hooks(&mut self, event: &str, may_be_lost: bool) -> usize {
        let told = told_in(&hooks(&self.machine, event, &input(&self.machine, "s")).context());
        for seq in &told {
            *self.seen.entry(*seq).or_default() += 1;
        }
        if may_be_lost {
            self.excused.extend(&told);
        }
        told.len()
    }
}

/// Daemons are killed at random: each of three sessions hears of each push of the others,
/// and of none twice but what was printed as its daemon died.
#[test]
fn every_session_hears_of_every_push_whoever_is_killed() {
    let world = World::new();
    let first = world.first_machine("one", &[("a.md", "a\n")]);
    let machines = [first, world.next_machine("two"), world.next_machine("three")];
    let start = machines[0].head();
    let mut agents = machines.map(|machine| {
        eventually("the session to begin", || {
            !hooks(&machine, "session-start", &input(&machine, "s")).watch_paths().is_empty()
        });
        hooks(&machine, "user-prompt-submit", &input(&machine, "s"));
        let (seen, excused, own) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Agent { machine, seen, excused, own }
    });
    let mut chance = Chance::new();
    let rounds = rounds(25, 1_000);
    for round in 0..rounds {
        let at = chance.below(3);
        let agent = &mut agents[at];
        let seq = pushes(&agent.machine, &format!("{at}/{round}.md"), "text\n");
        agent.own.insert(seq);
        for agent in &mut agents {
            agent.machine.asks(&["log", "--limit", "1"]);
            let event = *chance.pick(&["user-prompt-submit", "post-tool-batch", "stop"]);
            if chance.one_in(4) {
                let pids = daemons_of(&agent.machine.home());
                let killer = std::thread::spawn(move || pids.into_iter().for_each(processes::kill));
                agent.hooks(event, true);
                killer.join().expect("it kills");
            } else if chance.one_in(2) {
                agent.hooks(event, false);
            }
        }
    }
    let last = agents.iter().filter_map(|agent| agent.own.last()).max().copied().expect("a push");
    for agent in &mut agents {
        knows(&agent.machine, last);
        let is_told = |agent: &Agent| {
            (start + 1..=last).all(|seq| agent.own.contains(&seq) || agent.seen.contains_key(&seq))
        };
        eventually("the session to hear of all", || {
            agent.hooks("user-prompt-submit", false);
            is_told(agent)
        });
        let is_twice = |(seq, times): &(&u64, &usize)| **times > 1 && !agent.excused.contains(*seq);
        let twice: Vec<_> = agent.seen.iter().filter(is_twice).collect();
        assert_eq!(twice, [], "{chance:?}");
        assert!(agent.own.iter().all(|seq| !agent.seen.contains_key(seq)), "its own");
    }
}
