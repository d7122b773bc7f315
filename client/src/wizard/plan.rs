//! All that is asked for, from what was typed and back into a request.

use mirror_proto::v1::{
    CheckAnswerResponse, CloneProjectRequest, InitProjectRequest, Question, QuestionStage,
    SetUpDraft, SetUpVerb, Setting,
};

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Plan {
    pub(super) draft: SetUpDraft,
    /// Those of the draft that its kind of service takes.
    pub(super) settings: Vec<Setting>,
    /// All that is asked for, in this order.
    pub(super) questions: Vec<Question>,
    pub(super) excludes: Vec<String>,
    pub(super) gitignore: bool,
    pub(super) preset: String,
    pub(super) preset_parts: Vec<String>,
    pub(super) no_pull: bool,
    /// Joins what the backend holds, without being asked.
    pub(super) join: bool,
    /// Agrees to what that deletes here.
    pub(super) allow_deletes: bool,
}

impl Plan {
    pub(super) fn of_init(typed: InitProjectRequest) -> Self {
        let draft = SetUpDraft {
            verb: SetUpVerb::Init.into(),
            folder: typed.folder,
            url: typed.url,
            settings: typed.settings,
            name: typed.name,
            patterns: typed.patterns,
            ..SetUpDraft::default()
        };
        let (gitignore, join, allow_deletes) = (typed.gitignore, typed.join, typed.allow_deletes);
        let (preset, preset_parts) = (typed.preset, typed.preset_parts);
        let excludes = typed.excludes;
        Self { excludes, gitignore, preset, preset_parts, join, allow_deletes, ..Self::of(draft) }
    }

    pub(super) fn of_clone(typed: CloneProjectRequest) -> Self {
        let draft = SetUpDraft {
            verb: SetUpVerb::Clone.into(),
            folder: typed.folder,
            url: typed.url,
            settings: typed.settings,
            name: typed.name,
            patterns: typed.patterns,
            ..SetUpDraft::default()
        };
        Self { no_pull: typed.no_pull, ..Self::of(draft) }
    }

    fn of(draft: SetUpDraft) -> Self {
        let settings = draft.settings.clone();
        Self {
            draft,
            settings,
            questions: Vec::new(),
            excludes: Vec::new(),
            gitignore: false,
            preset: String::new(),
            preset_parts: Vec::new(),
            no_pull: false,
            join: false,
            allow_deletes: false,
        }
    }

    /// Takes in what the daemon made of an answer; gives why it can't be used.
    pub(super) fn hears(&mut self, response: CheckAnswerResponse) -> Option<String> {
        self.draft = response.draft.unwrap_or_default();
        self.settings = response.settings;
        self.questions = response.questions;
        response.refusal
    }

    pub(super) fn is_init(&self) -> bool {
        self.draft.verb() == SetUpVerb::Init
    }

    /// The questions about the backend.
    pub(super) fn of_backend(&self) -> impl Iterator<Item = &Question> {
        self.questions.iter().filter(|question| question.stage() != QuestionStage::Project)
    }

    /// How many questions are asked before all is known of the backend.
    pub(super) fn up_to_the_backend(&self) -> usize {
        let is_last = |question: &Question| question.stage() != QuestionStage::Project;
        self.questions.iter().rposition(is_last).map_or(0, |last| last + 1)
    }

    /// Settings that no question is about.
    pub(super) fn unasked(&self) -> impl Iterator<Item = &Setting> {
        let is_asked = |key: &str| self.questions.iter().any(|question| question.name == key);
        self.settings.iter().filter(move |setting| !is_asked(&setting.key))
    }

    /// Puts these in the place of the settings that no question is about.
    pub(super) fn says(&mut self, settings: Vec<Setting>) {
        let before: Vec<_> = self.unasked().cloned().collect();
        self.draft.settings.retain(|setting| !before.contains(setting));
        self.draft.settings.extend(settings);
    }

    pub(super) fn into_init(self) -> InitProjectRequest {
        InitProjectRequest {
            folder: self.draft.folder,
            url: self.draft.url,
            name: self.draft.name,
            patterns: self.draft.patterns,
            excludes: self.excludes,
            gitignore: self.gitignore,
            preset: self.preset,
            preset_parts: self.preset_parts,
            settings: self.settings,
            typed_in: String::new(),
            join: self.join,
            allow_deletes: self.allow_deletes,
        }
    }

    pub(super) fn into_clone(self) -> CloneProjectRequest {
        CloneProjectRequest {
            url: self.draft.url,
            folder: self.draft.folder,
            name: self.draft.name,
            patterns: self.draft.patterns,
            settings: self.settings,
            no_pull: self.no_pull,
            typed_in: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(key: &str, value: &str) -> Setting {
        Setting { key: key.into(), value: value.into() }
    }

    #[test]
    fn request_comes_back_as_it_was_typed() {
        let typed = InitProjectRequest {
            folder: "/n".to_owned(),
            url: "far://place".to_owned(),
            name: Some("mine".to_owned()),
            patterns: vec!["**/*".to_owned()],
            excludes: vec!["tmp/**".to_owned()],
            gitignore: true,
            preset: "claude-home".to_owned(),
            preset_parts: vec!["skills".to_owned()],
            settings: vec![setting("token", "x"), setting("poll_interval", "5s")],
            typed_in: String::new(),
            join: true,
            allow_deletes: true,
        };
        assert_eq!(Plan::of_init(typed.clone()).into_init(), typed);

        let typed = CloneProjectRequest {
            url: "far://place".to_owned(),
            folder: "/n".to_owned(),
            no_pull: true,
            settings: vec![setting("poll_interval", "5s")],
            ..CloneProjectRequest::default()
        };
        assert_eq!(Plan::of_clone(typed.clone()).into_clone(), typed);
    }

    #[test]
    fn settings_that_are_said_anew_leave_those_that_are_asked_for() {
        let all = vec![setting("token", "x"), setting("poll", "5s"), setting("other", "y")];
        let mut plan = Plan::of_init(InitProjectRequest {
            settings: all.clone(),
            ..InitProjectRequest::default()
        });
        plan.questions = vec![Question { name: "token".to_owned(), ..Question::default() }];
        // What another kind of service has is left out, and kept.
        plan.settings.pop();

        plan.says(vec![setting("poll_interval", "5s")]);

        let expected = [&all[0], &all[2], &setting("poll_interval", "5s")];
        assert_eq!(plan.draft.settings.iter().collect::<Vec<_>>(), expected);
    }
}
