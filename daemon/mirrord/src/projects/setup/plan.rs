//! What a project is to be made of.

use std::path::PathBuf;

use mirror_core::patterns::Patterns;

use crate::config::narrowing;
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

pub(super) fn checked_patterns(plan: &SetUp) -> Result<Patterns, RequestError> {
    let mut patterns = Patterns::default();
    if !plan.patterns.is_empty() {
        patterns.include.clone_from(&plan.patterns);
    }
    patterns.exclude.clone_from(&plan.excludes);
    patterns.check().map_err(|error| RequestError::usage(error.to_string()))?;
    Ok(patterns)
}

pub(super) fn narrowing_of(plan: &SetUp) -> Option<Patterns> {
    let given = |globs: &Vec<String>| (!globs.is_empty()).then(|| globs.clone());
    narrowing(given(&plan.patterns), given(&plan.excludes))
}
