//! What a project is to be made of.

use std::path::PathBuf;

use mirror_core::commit::SharedMode;
use mirror_core::patterns::Patterns;
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
    pub(crate) patterns: Vec<String>,
    pub(crate) excludes: Vec<String>,
    /// Whether what git ignores stays out.
    pub(crate) gitignore: bool,
    /// Keys and values of the project's file.
    pub(crate) settings: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetUpKind {
    /// With `push`, what stands in the folder is committed at once.
    /// With `join`, it may be one that the backend holds already.
    Init {
        push: bool,
        join: bool,
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
    if !plan.patterns.is_empty() {
        patterns.include.clone_from(&plan.patterns);
    }
    patterns.exclude = usual_excludes(&plan.patterns).collect();
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
    Ok(SharedSettings { gitignore: plan.gitignore, ..settings })
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
            kind: SetUpKind::Init { push: false, join: false },
            folder: PathBuf::from("/n"),
            url: BackendUrl::parse("/b").unwrap(),
            name: None,
            patterns: owned(patterns),
            excludes: owned(excludes),
            gitignore: false,
            settings: Vec::new(),
        };
        checked_patterns(&plan).unwrap().exclude
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
