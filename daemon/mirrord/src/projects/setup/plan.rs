//! What a project is to be made of.

use std::path::PathBuf;

use mirror_core::commit::SharedMode;
use mirror_core::patterns::Patterns;
use mirror_core::presets::Preset;
use mirror_core::settings::CLAUDE_HOME;
use mirror_engine::SharedSettings;

use crate::config::{ProjectConfig, narrowing};
use crate::error::RequestError;
use crate::services::BackendUrl;

/// What a project is to be made of.
#[derive(Clone, Debug)]
pub(crate) struct SetUp {
    pub(crate) kind: SetUpKind,
    /// Absolute.
    pub(crate) folder: PathBuf,
    pub(crate) url: BackendUrl,
    pub(crate) name: Option<String>,
    /// What a new project begins with.
    pub(crate) preset: Option<ChosenPreset>,
    pub(crate) patterns: Vec<String>,
    pub(crate) excludes: Vec<String>,
    /// Whether what git ignores stays out.
    pub(crate) gitignore: bool,
    /// Keys and values of the project's file.
    pub(crate) settings: Vec<(String, String)>,
}

/// A preset with those of its parts that were asked for.
#[derive(Clone, Debug)]
pub(crate) struct ChosenPreset {
    preset: &'static Preset,
    parts: Vec<String>,
}

impl ChosenPreset {
    /// `None` where no name was said.
    pub(crate) fn of(name: &str, parts: Vec<String>) -> Result<Option<Self>, RequestError> {
        if name.is_empty() {
            return match parts.is_empty() {
                true => Ok(None),
                false => Err(RequestError::usage_with_hint(
                    "what is to come with a preset was said, and no preset",
                    "add --preset claude-home",
                )),
            };
        }
        let Some(preset) = Preset::named(name) else {
            let names: Vec<_> = Preset::names().collect();
            return Err(RequestError::usage_with_hint(
                format!("there is no preset {name:?}"),
                format!("there are {}", names.join(", ")),
            ));
        };
        let known: Vec<_> = preset.parts().collect();
        match parts.iter().find(|part| !known.contains(&part.as_str())) {
            None => Ok(Some(Self { preset, parts })),
            Some(part) => Err(RequestError::usage_with_hint(
                format!("the preset {name} has no part {part:?}"),
                match known.is_empty() {
                    true => "it takes all that it knows anyway".to_owned(),
                    false => format!("it has {}", known.join(", ")),
                },
            )),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetUpKind {
    /// With `push`, what stands in the folder is committed at once.
    /// With `join`, it may be one that the backend holds already; with `consent`, the
    /// first pull may delete what needs a person's word (B12).
    Init {
        push: bool,
        join: bool,
        consent: bool,
    },
    Clone {
        pull: bool,
    },
}

impl SetUp {
    /// A clone is called as the project is, which its backend tells.
    pub(super) fn takes_their_name(&self) -> bool {
        self.name.is_none() && matches!(self.kind, SetUpKind::Clone { .. })
    }
}

/// Folders that programs make, and make again: nobody's notes, and many files.
const USUAL_EXCLUDES: [&str; 9] = [
    "**/node_modules/**",
    "**/.venv/**",
    "**/venv/**",
    "**/target/**",
    "**/vendor/**",
    "**/__pycache__/**",
    "**/.tox/**",
    "**/dist/**",
    "**/build/**",
];

/// The usual excludes, but for folders that a pattern names.
fn usual_excludes(patterns: &[String]) -> impl Iterator<Item = String> {
    let is_named = |glob: &&str| {
        let folder = glob.trim_start_matches("**/").trim_end_matches("/**");
        patterns.iter().any(|pattern| pattern.split('/').any(|part| part == folder))
    };
    USUAL_EXCLUDES.into_iter().filter(move |glob| !is_named(glob)).map(str::to_owned)
}

/// The setting that says whom the backend's files are for.
const SHARED_MODE: &str = "shared_mode";

impl SetUp {
    /// What was said about sharing; only who makes a project says it.
    pub(super) fn shared_mode(&self) -> Result<Option<SharedMode>, RequestError> {
        let Some((_, word)) = self.settings.iter().rfind(|(key, _)| key == SHARED_MODE) else {
            return Ok(None);
        };
        if matches!(self.kind, SetUpKind::Clone { .. }) {
            return Err(RequestError::usage_with_hint(
                "shared_mode belongs to the project, not to one machine",
                "`mirrorctl config set --shared shared_mode …` changes it for all",
            ));
        }
        parsed_shared_mode(word).map(Some)
    }

    /// What a project is called that was given no name: as its folder, whose name
    /// may begin as no project's can.
    pub(super) fn usual_name(&self, folder: &str) -> String {
        let is_home = self.preset.as_ref().is_some_and(|it| it.preset.name == CLAUDE_HOME);
        if is_home { CLAUDE_HOME.to_owned() } else { folder.trim_start_matches('.').to_owned() }
    }

    /// Refuses a preset for a project that is there and began with another one.
    pub(super) fn check_preset(&self, there: &SharedSettings) -> Result<(), RequestError> {
        let Some(ChosenPreset { preset, .. }) = &self.preset else { return Ok(()) };
        if there.preset.as_deref() == Some(preset.name) {
            return Ok(());
        }
        let began = there.preset.as_ref().map(|name| format!("the preset {name}"));
        Err(RequestError::usage_with_hint(
            format!(
                "the project is there, and began with {}",
                began.unwrap_or_else(|| "no preset".to_owned())
            ),
            "join it without --preset, or choose another place",
        ))
    }

    /// Those settings that are of this machine alone.
    pub(super) fn own_settings(&self) -> impl Iterator<Item = &(String, String)> {
        self.settings.iter().filter(|(key, _)| key != SHARED_MODE)
    }
}

pub(crate) fn parsed_shared_mode(word: &str) -> Result<SharedMode, RequestError> {
    let bare = word.trim_matches('"');
    SharedMode::from_word(bare).ok_or_else(|| {
        RequestError::usage_with_hint(
            format!("{word:?} says not whom the backend's files are for"),
            "write \"private\" (you alone), \"group\" or \"world\"",
        )
    })
}

pub(super) fn checked_patterns(plan: &SetUp) -> Result<Patterns, RequestError> {
    let mut patterns = Patterns::default();
    let preset = plan.preset.as_ref();
    let include = preset.map(|it| it.preset.patterns(&it.parts)).unwrap_or_default();
    let include: Vec<String> = include.into_iter().chain(plan.patterns.clone()).collect();
    patterns.exclude = usual_excludes(&include).collect();
    patterns.exclude.extend(preset.into_iter().flat_map(|it| it.preset.exclude()));
    if !include.is_empty() {
        patterns.include = include;
    }
    let more = plan.excludes.iter().filter(|glob| !USUAL_EXCLUDES.contains(&glob.as_str()));
    patterns.exclude.extend(more.cloned());
    patterns.check().map_err(|error| RequestError::usage(error.to_string()))?;
    Ok(patterns)
}

/// What all machines of a new project share.
pub(super) fn shared_settings(
    plan: &SetUp,
    config: &ProjectConfig,
) -> Result<SharedSettings, RequestError> {
    let settings = SharedSettings::new(&config.name, checked_patterns(plan)?);
    let preset = plan.preset.as_ref().map(|chosen| chosen.preset);
    Ok(SharedSettings {
        gitignore: plan.gitignore,
        preset: preset.map(|preset| preset.name.to_owned()),
        merge: preset.map(Preset::merge).unwrap_or_default(),
        ..settings
    })
}

pub(super) fn narrowing_of(plan: &SetUp) -> Option<Patterns> {
    let given = |globs: &Vec<String>| (!globs.is_empty()).then(|| globs.clone());
    narrowing(given(&plan.patterns), given(&plan.excludes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excludes(patterns: &[&str], excludes: &[&str]) -> Vec<String> {
        let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect();
        let plan = SetUp {
            kind: SetUpKind::Init { push: false, join: false, consent: false },
            folder: PathBuf::from("/n"),
            url: BackendUrl::parse("/b").unwrap(),
            name: None,
            preset: None,
            patterns: owned(patterns),
            excludes: owned(excludes),
            gitignore: false,
            settings: Vec::new(),
        };
        checked_patterns(&plan).unwrap().exclude
    }

    #[test]
    fn a_preset_is_what_patterns_come_on_top_of() {
        let choose = |name: &str, parts: &[&str]| {
            ChosenPreset::of(name, parts.iter().map(|part| (*part).to_owned()).collect())
        };
        let plan = SetUp {
            kind: SetUpKind::Init { push: false, join: false, consent: false },
            folder: PathBuf::from("/home/ann/.claude"),
            url: BackendUrl::parse("/b").unwrap(),
            name: None,
            preset: choose(CLAUDE_HOME, &["skills"]).unwrap(),
            patterns: vec!["mine/**".into()],
            excludes: vec!["rules/old.md".into()],
            gitignore: false,
            settings: Vec::new(),
        };
        let patterns = checked_patterns(&plan).unwrap();
        for glob in ["CLAUDE.md", "skills/**", "mine/**"] {
            assert!(patterns.include.iter().any(|it| it == glob), "{glob}: {patterns:?}");
        }
        assert!(!patterns.include.iter().any(|it| it == "agents/**"));
        for glob in ["projects/**", "rules/old.md", "**/node_modules/**"] {
            assert!(patterns.exclude.iter().any(|it| it == glob), "{glob}: {patterns:?}");
        }
        assert_eq!(plan.usual_name(".claude"), CLAUDE_HOME);
        let other = SharedSettings::new("notes", Patterns::default());
        assert!(plan.check_preset(&other).is_err());

        assert!(choose("", &[]).unwrap().is_none());
        for (name, parts) in [("", &["skills"][..]), ("claude", &[]), ("notes", &["skills"])] {
            assert!(choose(name, parts).is_err(), "{name}");
        }
    }

    #[test]
    fn folders_of_programs_are_excluded_unless_a_pattern_names_them() {
        let usual = excludes(&[], &[]);
        assert_eq!(usual, USUAL_EXCLUDES);
        let named = excludes(&["build/docs/**", "**/*.md"], &["**/dist/**", "old/**"]);
        assert!(!named.contains(&"**/build/**".to_owned()), "{named:?}");
        assert_eq!(named.len(), USUAL_EXCLUDES.len(), "one less and one more: {named:?}");
        assert_eq!(named.last().map(String::as_str), Some("old/**"));
    }
}
