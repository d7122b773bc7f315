//! The command that does the same without questions.

use super::plan::Plan;
use crate::shell::quoted;

pub(super) fn of(plan: &Plan) -> String {
    let draft = &plan.draft;
    let mut words = vec!["mirrorctl".to_owned()];
    match plan.is_init() {
        true => words.extend(["init", &draft.folder, "--to", &draft.url].map(quoted)),
        false => words.extend(["clone", &draft.url, &draft.folder].map(quoted)),
    }
    // A project is called after its folder, unless it says something else.
    let is_usual = plan.is_init() && draft.name.as_deref() == draft.folder.rsplit('/').next();
    let name = draft.name.iter().filter(|_| !is_usual);
    words.extend(name.map(|name| format!("--name {}", quoted(name))));
    words.extend(draft.patterns.iter().map(|glob| format!("--pattern {}", quoted(glob))));
    words.extend(plan.excludes.iter().map(|glob| format!("--exclude {}", quoted(glob))));
    words.extend(
        plan.settings.iter().map(|setting| {
            format!("--set {}", quoted(&format!("{}={}", setting.key, setting.value)))
        }),
    );
    if plan.is_init() && (plan.join || draft.held.is_some()) {
        words.push("--join".to_owned());
    }
    if plan.allow_deletes {
        words.push("--allow-deletes".to_owned());
    }
    if !plan.preset.is_empty() {
        words.push(format!("--preset {}", quoted(&plan.preset)));
    }
    if !plan.preset_parts.is_empty() {
        words.push(format!("--with {}", quoted(&plan.preset_parts.join(","))));
    }
    if plan.gitignore {
        words.push("--gitignore".to_owned());
    }
    if plan.no_pull {
        words.push("--no-pull".to_owned());
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use mirror_proto::v1::{InitProjectRequest, Setting};

    use super::*;
    use crate::arguments::Cli;

    fn plan() -> InitProjectRequest {
        InitProjectRequest {
            folder: "/home/ann/my notes".to_owned(),
            url: "far://ann@nas/~/it's".to_owned(),
            name: Some("notes".to_owned()),
            patterns: vec!["**/*.md".to_owned(), "**/*.txt".to_owned()],
            settings: vec![Setting { key: "token_file".into(), value: "/home/ann/.far/k".into() }],
            gitignore: true,
            preset: "claude-home".to_owned(),
            preset_parts: vec!["skills".to_owned(), "agents".to_owned()],
            ..InitProjectRequest::default()
        }
    }

    #[test]
    fn command_line_says_all_that_was_answered() {
        assert_eq!(
            of(&Plan::of_init(plan())),
            "mirrorctl init '/home/ann/my notes' --to 'far://ann@nas/~/it'\\''s' --name notes \
             --pattern '**/*.md' --pattern '**/*.txt' --set token_file=/home/ann/.far/k \
             --preset claude-home --with skills,agents --gitignore"
        );
    }

    #[test]
    fn name_that_it_gets_anyway_is_left_out() {
        let plan = InitProjectRequest { folder: "/n/notes".to_owned(), ..plan() };
        assert!(!of(&Plan::of_init(plan)).contains("--name"));
    }

    #[test]
    fn shell_reads_the_words_that_were_meant() {
        let line = of(&Plan::of_init(plan()));
        let script = format!("for word in {line}; do printf '%s\\n' \"$word\"; done");
        let read = std::process::Command::new("sh").args(["-c", &script]).output().expect("run");
        let words = String::from_utf8(read.stdout).expect("text");
        let cli = Cli::try_parse_from(words.lines()).expect("a command of ours");
        assert_eq!(cli.command.name(), "init");
        assert!(words.lines().any(|word| word == "far://ann@nas/~/it's"), "{words}");
    }
}
