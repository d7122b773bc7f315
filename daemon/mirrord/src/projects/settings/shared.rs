//! Settings that all machines of a project share, as people write and read them.

use mirror_core::commit::MergeRule;
use mirror_core::merge::Merger;
use mirror_core::patterns::Patterns;
use mirror_engine::SharedSettings;
use toml_edit::Value;

use super::SetRequest;
use crate::config::{Effective, Origin, check_name, list, typed_value};
use crate::error::RequestError;
use crate::projects::setup::parsed_shared_mode;

/// One of them, as it is shown and could be set.
pub(super) fn shared_value(settings: &SharedSettings, key: &str) -> Effective {
    let value = match key {
        "name" => settings.name.clone(),
        "patterns" => list(&settings.patterns).to_string(),
        "gitignore" => settings.gitignore.to_string(),
        "preset" => settings.preset.clone().unwrap_or_default(),
        "merge" => list(&settings.merge.iter().map(written).collect::<Vec<_>>()).to_string(),
        "shared_mode" => settings.shared_mode.word().to_owned(),
        _ => list(&settings.exclude).to_string(),
    };
    Effective { key: key.to_owned(), value, origin: Origin::Shared }
}

/// These settings with the one changed that was asked for.
pub(super) fn with_shared(
    before: SharedSettings,
    request: &SetRequest,
) -> Result<SharedSettings, RequestError> {
    let mut settings = before;
    match request.key.as_str() {
        "name" => {
            check_name(&request.value).map_err(RequestError::usage)?;
            settings.name.clone_from(&request.value);
        }
        "patterns" => settings.patterns = globs(&request.value)?,
        "gitignore" => settings.gitignore = truth(&request.value)?,
        "merge" => settings.merge = rules(&request.value, &settings.merge)?,
        "shared_mode" => settings.shared_mode = parsed_shared_mode(&request.value)?,
        _ => settings.exclude = globs(&request.value)?,
    }
    check_patterns(&settings.patterns())?;
    Ok(settings)
}

fn check_patterns(patterns: &Patterns) -> Result<(), RequestError> {
    patterns.check().map_err(|error| RequestError::usage(error.to_string()))
}

fn truth(text: &str) -> Result<bool, RequestError> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(RequestError::usage_with_hint(
            format!("{text:?} is not true or false"),
            "write true",
        )),
    }
}

/// A list of globs, or a single one as a bare word.
fn globs(text: &str) -> Result<Vec<String>, RequestError> {
    let wrong = || {
        let what = format!("{text:?} is not a list of globs");
        RequestError::usage_with_hint(what, "write them as [\"**/*.md\", \"docs/**\"]")
    };
    match typed_value(text) {
        Value::String(glob) => Ok(vec![glob.into_value()]),
        Value::Array(globs) => {
            globs.iter().map(|glob| glob.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

fn written(rule: &MergeRule) -> String {
    format!("{}={}", rule.glob, rule.how)
}

/// Rules for merging. A way of a later version may stay where it stands.
fn rules(text: &str, before: &[MergeRule]) -> Result<Vec<MergeRule>, RequestError> {
    let wrong = |rule: &str| {
        RequestError::usage_with_hint(
            format!("{rule:?} says not how files are merged"),
            "write GLOB=lines, GLOB=union or GLOB=frontmatter, as in \"**/MEMORY.md=union\"",
        )
    };
    let rule = |text: String| {
        let (glob, how) = text.rsplit_once('=').ok_or_else(|| wrong(&text))?;
        let rule = MergeRule { glob: glob.trim().to_owned(), how: how.trim().to_owned() };
        let is_known = Merger::from_word(&rule.how).is_some() || before.contains(&rule);
        if is_known { Ok(rule) } else { Err(wrong(&text)) }
    };
    let rules = globs(text)?.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    let globs = rules.iter().map(|rule| rule.glob.clone()).collect();
    check_patterns(&Patterns { include: globs, exclude: Vec::new() })?;
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(key: &str, value: &str) -> SetRequest {
        SetRequest { project: None, key: key.into(), value: value.into(), shared: true }
    }

    #[test]
    fn shared_globs_are_a_list_or_one_word() {
        let before = SharedSettings::new("notes", Patterns::default());
        let after = with_shared(before.clone(), &request("patterns", "**/*")).unwrap();
        assert_eq!(after.patterns, ["**/*"]);
        let after = with_shared(before.clone(), &request("exclude", "[\"a\", \"b\"]")).unwrap();
        assert_eq!(after.exclude, ["a", "b"]);
        assert!(with_shared(before.clone(), &request("gitignore", "true")).unwrap().gitignore);
        assert!(with_shared(before.clone(), &request("gitignore", "yes")).is_err());
        assert!(with_shared(before, &request("patterns", "[1]")).is_err());
    }

    #[test]
    fn rules_for_merging_read_back_as_they_are_shown() {
        let mut before = SharedSettings::new("notes", Patterns::default());
        let later = MergeRule { glob: "*.txt".into(), how: "by-taste".into() };
        before.merge = vec![later.clone()];
        let set = |value: &str| with_shared(before.clone(), &request("merge", value));
        let after = set("[\"**/MEMORY.md=union\", \"a=b.md = frontmatter\"]").unwrap();
        let rule = |glob: &str, how: &str| MergeRule { glob: glob.into(), how: how.into() };
        assert_eq!(after.merge, [rule("**/MEMORY.md", "union"), rule("a=b.md", "frontmatter")]);
        let shown = shared_value(&after, "merge");
        assert_eq!(with_shared(before.clone(), &request("merge", &shown.value)).unwrap(), after);
        assert_eq!(set("*.txt=by-taste").unwrap().merge, [later]);
        assert_eq!(set("[]").unwrap().merge, []);
        for value in ["a.md", "a.md=unon", "/a=union", "=union"] {
            assert!(set(value).is_err(), "{value}");
        }
    }
}
