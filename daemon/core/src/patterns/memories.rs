//! Folders of this machine that stand for shared ones: what agents remember of a
//! project follows the project, whatever its path is here (B15).
//!
//! On the shared side it is `memory/<name>/…`; here it lies wherever the agent looks
//! for it. Names and paths only: whether a folder is there, a tree says.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::agents::{AgentFolder, stays_here};
use super::code::runs_code;
use crate::path::{Folded, RelPath};

/// The shared folder below which each folder is somebody's memory of one project.
pub const MEMORY_FOLDER: &str = "memory";

/// Where Claude Code keeps projects by the paths of one machine.
const LOCAL_SIDE: &str = "projects";

/// A folder of this machine, as it was found there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapped {
    /// Which folder it is: it changes when another one stands in its place.
    pub identity: String,
    /// Where it really lies: the absolute path, without its first slash.
    pub real: RelPath,
    /// Where it lies in the project's own folder, if it does.
    pub below: Option<RelPath>,
    /// Where agents keep what is of this machine alone, seen from it.
    pub agents: Vec<AgentFolder>,
}

/// The folders that stand for shared ones here, by their shared names. Whoever has
/// none of a name has nothing to do with what is shared by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memories(BTreeMap<String, Mapped>);

/// Where a shared path belongs, whatever is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side<'a> {
    /// In the project's own folder, under its own name.
    Plain,
    /// The folder of all memories.
    Memories,
    /// In a memory, or that folder itself.
    Memory { name: &'a str, rest: Option<&'a str> },
    /// It looks like a path of one machine, or is another spelling of the folder of
    /// memories: nothing is ever written there.
    Never,
}

impl<'a> Side<'a> {
    pub fn of(path: &'a RelPath) -> Self {
        let (first, more) = match path.as_str().split_once('/') {
            Some((first, more)) => (first, Some(more)),
            None => (path.as_str(), None),
        };
        match (first == MEMORY_FOLDER, more) {
            (true, None) => Self::Memories,
            (true, Some(more)) => match more.split_once('/') {
                Some((name, rest)) => Self::Memory { name, rest: Some(rest) },
                None => Self::Memory { name: more, rest: None },
            },
            (false, _) => match Folded::of(first).as_str() {
                MEMORY_FOLDER | LOCAL_SIDE => Self::Never,
                _ => Self::Plain,
            },
        }
    }
}

impl FromIterator<(String, Mapped)> for Memories {
    fn from_iter<T: IntoIterator<Item = (String, Mapped)>>(all: T) -> Self {
        Self(all.into_iter().collect())
    }
}

impl Memories {
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether a file at `path` may be one of the project's here.
    pub(super) fn may_be(&self, path: &RelPath) -> bool {
        match Side::of(path) {
            Side::Plain => !self.is_under_its_own_name(path),
            Side::Memory { name, rest: Some(_) } => self.0.contains_key(name),
            Side::Memories | Side::Memory { .. } | Side::Never => false,
        }
    }

    /// Whether files that may be lie somewhere below `folder`.
    pub(super) fn may_hold(&self, folder: &RelPath) -> bool {
        match Side::of(folder) {
            Side::Plain => !self.is_under_its_own_name(folder),
            Side::Memories => !self.0.is_empty(),
            Side::Memory { name, .. } => self.0.contains_key(name),
            Side::Never => false,
        }
    }

    /// A mapped folder that lies in the project's own is seen by its shared name alone.
    fn is_under_its_own_name(&self, path: &RelPath) -> bool {
        let mut within = self.0.values().filter_map(|mapped| mapped.below.as_ref());
        within.any(|below| below == path || path.is_within(below.as_str()))
    }

    /// Whether an agent keeps to this machine what really lies there. Of a path that
    /// is too long to say nothing is known.
    pub(super) fn stays_here(&self, path: &RelPath) -> bool {
        self.really(path).is_some_and(|(mapped, rest)| {
            stays_here(&rest, &mapped.agents)
                || mapped.real.join(rest.as_str()).map_or(true, |real| stays_here(&real, &[]))
        })
    }

    /// Whether an agent takes what really lies there for its own commands.
    pub(super) fn runs_code(&self, path: &RelPath) -> bool {
        self.really(path).is_some_and(|(mapped, rest)| {
            runs_code(&rest, &mapped.agents)
                || mapped.real.join(rest.as_str()).map_or(true, |real| runs_code(&real, &[]))
        })
    }

    /// The mapped folder, and the path below it.
    fn really(&self, path: &RelPath) -> Option<(&Mapped, RelPath)> {
        let Side::Memory { name, rest: Some(rest) } = Side::of(path) else { return None };
        Some((self.0.get(name)?, RelPath::new(rest).ok()?))
    }

    /// The names whose folder is another one than before (B15).
    pub fn moved<'a>(before: Option<&'a Self>, now: Option<&'a Self>) -> BTreeSet<&'a str> {
        let names = before.iter().chain(&now).flat_map(|memories| memories.names());
        let of = |side: Option<&'a Self>, name: &str| {
            side.and_then(|memories| memories.0.get(name)).map(|it| (&it.identity, &it.real))
        };
        names.filter(|name| of(before, name) != of(now, name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::{Agent, Coverage, CoverageSource, Left, Patterns, Seen};

    fn path(text: &str) -> RelPath {
        RelPath::new(text).unwrap()
    }

    fn mapped(identity: &str) -> Mapped {
        let way = path("projects/-home-ann-notes/memory");
        Mapped {
            identity: identity.to_owned(),
            real: path("home/ann/.claude/projects/-home-ann-notes/memory"),
            below: Some(way.clone()),
            agents: vec![AgentFolder { agent: Agent::Claude, seen: Seen::Around(Some(way)) }],
        }
    }

    fn memories(names: &[&str]) -> Memories {
        names.iter().map(|name| ((*name).to_owned(), mapped("1"))).collect()
    }

    /// What a project of everything takes, where `notes` is mapped.
    fn coverage() -> Coverage {
        let project = Patterns { include: vec!["**/*".to_owned()], exclude: Vec::new() };
        let memories = Some(memories(&["notes"]));
        Coverage::new(CoverageSource { project, memories, ..CoverageSource::default() }).unwrap()
    }

    #[test]
    fn only_a_mapped_name_is_covered() {
        let coverage = coverage();
        for covered in ["CLAUDE.md", "memory/notes/MEMORY.md", "memory/notes/a/b.md", "memories.md"]
        {
            assert!(coverage.covers(&path(covered)), "{covered}");
        }
        for left in [
            "memory/other/MEMORY.md",
            "memory/Notes/MEMORY.md",
            "memory/README.md",
            "Memory/notes/MEMORY.md",
            "MEMORY/notes",
            "memory",
            "memory/notes",
        ] {
            assert!(!coverage.covers(&path(left)), "{left}");
            assert_eq!(coverage.why_not(&path(left)), Some(Left::Unmapped), "{left}");
        }
        assert!(coverage.may_hold(&path("memory")) && coverage.may_hold(&path("memory/notes/a")));
        assert!(!coverage.may_hold(&path("memory/other")) && !coverage.may_hold(&path("Memory")));
    }

    #[test]
    fn local_sides_are_never_covered() {
        let coverage = coverage();
        for name in ["projects/-home-ann-notes/memory/MEMORY.md", "projects/a.md", "Projects/x/y"] {
            assert!(!coverage.covers(&path(name)), "{name}");
        }
        assert!(!coverage.may_hold(&path("projects")));
        assert!(coverage.covers(&path("rules/projects/a.md")));
    }

    #[test]
    fn rules_in_a_place_that_is_not_mapped_are_none() {
        let project = Patterns { include: vec!["**/*".to_owned()], exclude: Vec::new() };
        let gitignore = Some(BTreeMap::new());
        let memories = Some(memories(&["notes"]));
        let source = CoverageSource { project, gitignore, memories, ..CoverageSource::default() };
        let coverage = Coverage::new(source).unwrap();
        assert!(coverage.covers(&path("memory/notes/.gitignore")));
        assert!(!coverage.covers(&path("memory/other/.gitignore")));
        assert!(!coverage.covers(&path("projects/.gitignore")));
    }

    #[test]
    fn a_folder_within_the_project_has_one_name() {
        let within = Mapped { below: Some(path("own/place")), ..mapped("1") };
        let memories = Some([("notes".to_owned(), within)].into_iter().collect());
        let project = Patterns { include: vec!["**/*".to_owned()], exclude: Vec::new() };
        let source = CoverageSource { project, memories, ..CoverageSource::default() };
        let coverage = Coverage::new(source).unwrap();
        assert!(!coverage.covers(&path("own/place/MEMORY.md")));
        assert!(!coverage.may_hold(&path("own/place")) && coverage.may_hold(&path("own")));
        assert!(coverage.covers(&path("own/other.md")));
    }

    #[test]
    fn what_an_agent_keeps_to_its_machine_stays_by_its_real_path() {
        let coverage = coverage();
        for name in [
            "memory/notes/0b1c.jsonl",
            "memory/notes/0B1C.JSONL",
            "memory/notes/subagents/a.md",
            "memory/notes/.claude.json",
        ] {
            assert!(!coverage.covers(&path(name)), "{name}");
            assert!(coverage.stays_here(&path(name)), "{name}");
        }
        assert!(!coverage.stays_here(&path("memory/notes/MEMORY.md")));
    }

    #[test]
    fn what_runs_by_its_real_path_is_held() {
        let skills = Mapped {
            real: path("home/ann/.claude/skills"),
            below: Some(path("skills")),
            agents: Vec::new(),
            identity: "1".to_owned(),
        };
        let of_skills: Memories = [("notes".to_owned(), skills)].into_iter().collect();
        assert!(of_skills.runs_code(&path("memory/notes/deploy/SKILL.md")));
        assert!(!memories(&["notes"]).runs_code(&path("memory/notes/MEMORY.md")));
    }

    #[test]
    fn names_that_came_changed_or_went_are_told() {
        let old = memories(&["came-not", "changed", "went"]);
        let other = [("changed".to_owned(), mapped("2")), ("came".to_owned(), mapped("1"))];
        let now: Memories =
            other.into_iter().chain([("came-not".to_owned(), mapped("1"))]).collect();
        let moved = Memories::moved(Some(&old), Some(&now));
        assert_eq!(moved, ["came", "changed", "went"].into());
        assert_eq!(Memories::moved(None, Some(&now)).len(), 3);
        assert_eq!(Memories::moved(Some(&old), None).len(), 3);
        assert!(Memories::moved(Some(&old), Some(&old.clone())).is_empty());
    }

    #[test]
    fn without_memories_their_folder_is_one_as_any() {
        let project = Patterns { include: vec!["**/*".to_owned()], exclude: Vec::new() };
        let coverage = Coverage::new(CoverageSource { project, ..CoverageSource::default() });
        let coverage = coverage.unwrap();
        assert!(coverage.covers(&path("memory/a.md")) && coverage.covers(&path("projects/a.md")));
    }
}
