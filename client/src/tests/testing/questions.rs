//! What the fake daemon asks of a person who sets a project up. It knows two
//! kinds of service, neither of which there is, and refuses what begins with
//! `bad`.

use mirror_proto::v1::question_service_server::QuestionService;
use mirror_proto::v1::{
    CheckAnswerRequest, CheckAnswerResponse, Question, QuestionStage, SetUpDraft, SetUpVerb,
    Setting,
};
use tonic::{Request, Response, async_trait};

use super::{Answer, Service};

const TOKEN: &str = "token";

#[async_trait]
impl QuestionService for Service {
    async fn check_answer(
        &self,
        request: Request<CheckAnswerRequest>,
    ) -> Answer<CheckAnswerResponse> {
        let request = request.into_inner();
        let mut draft = request.draft.unwrap_or_default();
        read_url(&mut draft);
        let refusal = request.question.and_then(|question| {
            take(&mut draft, &question, request.answer, &request.folder).err()
        });
        let questions = questions(&draft, &request.folder);
        let is_left_out = |setting: &&Setting| setting.key == TOKEN && draft.kind != "far";
        let settings = draft.settings.iter().filter(|one| !is_left_out(one)).cloned().collect();
        let draft = Some(draft);
        Ok(Response::new(CheckAnswerResponse { refusal, draft, questions, settings }))
    }
}

/// `near:SHELF` or `far://[USER@]PLACE/PATH`.
fn read_url(draft: &mut SetUpDraft) {
    if !draft.kind.is_empty() {
        return;
    }
    if let Some((place, path)) =
        draft.url.strip_prefix("far://").and_then(|rest| rest.split_once('/'))
    {
        let parts = [("place", place), ("path", path)].map(|(key, value)| setting(key, value));
        draft.kind = "far".to_owned();
        draft.parts = parts.into();
    }
}

fn setting(key: &str, value: &str) -> Setting {
    Setting { key: key.to_owned(), value: value.to_owned() }
}

fn take(
    draft: &mut SetUpDraft,
    question: &str,
    answer: Option<String>,
    here: &str,
) -> Result<(), String> {
    let asked = questions(draft, here);
    let asked = asked.iter().find(|asked| asked.name == question).expect("a question of ours");
    match &answer {
        Some(answer) if answer.starts_with("bad") => return Err(format!("{answer}: no")),
        None if asked.unsaid.is_none() => return Err(format!("{question}: say something")),
        Some(_) | None => {}
    }
    let said = answer.clone().unwrap_or_default();
    let is_usual = asked.usual == answer;
    match question {
        "folder" => draft.folder = said,
        "kind" if said != draft.kind => {
            draft.parts.clear();
            draft.kind = said;
        }
        "kind" => {}
        "name" => draft.name = Some(said).filter(|_| !is_usual || draft.name.is_some()),
        "patterns" if is_usual => {}
        "patterns" => draft.patterns = said.split(' ').map(str::to_owned).collect(),
        part => {
            let kept = if part == TOKEN { &mut draft.settings } else { &mut draft.parts };
            kept.retain(|setting| setting.key != part);
            kept.extend(answer.map(|answer| setting(part, &answer)));
        }
    }
    draft.url = url(draft);
    Ok(())
}

fn url(draft: &SetUpDraft) -> String {
    let part = |name: &str| part(&draft.parts, name);
    match draft.kind.as_str() {
        "far" => {
            let user = part("user").map_or_else(String::new, |user| format!("{user}@"));
            let path = part("path").unwrap_or_default();
            let place = part("place").unwrap_or_default();
            format!("far://{user}{place}/{}", path.trim_start_matches('/'))
        }
        "near" => format!("near:{}", part("shelf").unwrap_or_default()),
        _ => String::new(),
    }
}

fn part(settings: &[Setting], name: &str) -> Option<String> {
    settings.iter().find(|setting| setting.key == name).map(|setting| setting.value.clone())
}

fn questions(draft: &SetUpDraft, here: &str) -> Vec<Question> {
    let is_init = draft.verb() == SetUpVerb::Init;
    let held = draft.held.clone();
    let (words, usual) = match (is_init, draft.folder.as_str()) {
        (true, folder) => ("Folder to mirror", folder.to_owned()),
        (false, "") => {
            ("Folder to make of it", format!("{here}/{}", held.clone().unwrap_or_default()))
        }
        (false, folder) => ("Folder to make of it", folder.to_owned()),
    };
    let folder = asked("folder", words, QuestionStage::Project, Some(usual));
    let own_name = match is_init {
        true => draft.folder.rsplit('/').next().map(str::to_owned),
        false => held.clone(),
    };
    let name = draft.name.clone().or(own_name);
    let patterns = match (draft.patterns.is_empty(), held) {
        (true, Some(_)) => "all that the project has".to_owned(),
        (true, None) => "**/*.md".to_owned(),
        (false, _) => draft.patterns.join(" "),
    };
    let patterns = Some(patterns);
    let about = [
        asked("name", "Name of the project here", QuestionStage::Project, name),
        asked("patterns", "Globs with spaces between them", QuestionStage::Project, patterns),
    ];
    let backend = of_backend(draft, is_init);
    match is_init {
        true => [folder].into_iter().chain(backend).chain(about).collect(),
        false => backend.into_iter().chain([folder]).chain(about).collect(),
    }
}

fn of_backend(draft: &SetUpDraft, is_init: bool) -> Vec<Question> {
    let kind = if draft.kind == "far" { "far" } else { "near" };
    let part = |name: &str| part(&draft.parts, name);
    let of = |name: &str, words: &str, usual| asked(name, words, QuestionStage::Backend, usual);
    let optional = |question: Question| Question {
        unsaid: Some("as it is known there".to_owned()),
        ..question
    };
    let kinds = "Where to keep the history, near or far";
    let first = asked("kind", kinds, QuestionStage::Kind, Some(kind.to_owned()));
    if kind == "near" {
        return vec![first, of("shelf", "Which shelf", part("shelf"))];
    }
    let usual_name = draft.folder.rsplit('/').next().unwrap_or_default();
    let usual_path = is_init.then(|| format!("~/{usual_name}"));
    let token = self::part(&draft.settings, TOKEN);
    vec![
        first,
        of("place", "Which place", part("place")),
        optional(of("user", "Who is known there", part("user"))),
        of("path", "Which folder there", part("path").or(usual_path)),
        optional(of(TOKEN, "With which token", token)),
    ]
}

fn asked(name: &str, words: &str, stage: QuestionStage, usual: Option<String>) -> Question {
    Question {
        name: name.to_owned(),
        word: name.to_owned(),
        words: words.to_owned(),
        stage: stage.into(),
        usual,
        unsaid: None,
    }
}
