//! `QuestionService`: says what is asked for, and takes an answer.

use std::path::PathBuf;

use mirror_proto::v1;
use tokio::task::spawn_blocking;
use tonic::{Request, Response, Status};

use super::project::pairs;
use crate::error::{Refusal, RequestError};
use crate::server::host::Host;
use crate::services::kind_of;
use crate::wizard::{Answer, Asking, Draft, Stage, Step, Verb, step};

#[tonic::async_trait]
impl v1::question_service_server::QuestionService for Host {
    async fn check_answer(
        &self,
        request: Request<v1::CheckAnswerRequest>,
    ) -> Result<Response<v1::CheckAnswerResponse>, Status> {
        let request = request.into_inner();
        let registry = self.registry.clone();
        self.answer("check answer", async move {
            let draft = read(request.draft.unwrap_or_default())?;
            let (typed, here) = (request.answer, PathBuf::from(request.folder));
            let answer = request.question.map(|question| Answer { question, typed });
            let look = spawn_blocking({
                let registry = registry.clone();
                move || step(&registry, draft, answer.as_ref(), &here)
            });
            let looked = async { look.await.map_err(|_| Refusal::Panicked) };
            Ok(response(registry.while_running(looked).await?))
        })
        .await
    }
}

fn read(draft: v1::SetUpDraft) -> Result<Draft, RequestError> {
    let verb = match draft.verb() {
        v1::SetUpVerb::Init => Verb::Init,
        v1::SetUpVerb::Clone => Verb::Clone,
        v1::SetUpVerb::Unspecified => {
            return Err(RequestError::usage("the request says neither init nor clone"));
        }
    };
    Ok(Draft {
        verb,
        folder: draft.folder,
        url: draft.url,
        kind: kind_of(&draft.kind),
        parts: pairs(draft.parts).into_iter().collect(),
        settings: pairs(draft.settings),
        name: draft.name,
        patterns: draft.patterns,
        held: draft.held,
    })
}

fn response(step: Step) -> v1::CheckAnswerResponse {
    v1::CheckAnswerResponse {
        refusal: step.refusal,
        draft: Some(draft(step.draft)),
        questions: step.questions.into_iter().map(question).collect(),
        settings: settings(step.settings),
    }
}

fn draft(draft: Draft) -> v1::SetUpDraft {
    let verb = match draft.verb {
        Verb::Init => v1::SetUpVerb::Init,
        Verb::Clone => v1::SetUpVerb::Clone,
    };
    v1::SetUpDraft {
        verb: verb.into(),
        folder: draft.folder,
        url: draft.url,
        kind: draft.kind.map(|kind| kind.name().to_owned()).unwrap_or_default(),
        parts: settings(draft.parts),
        settings: settings(draft.settings),
        name: draft.name,
        patterns: draft.patterns,
        held: draft.held,
    }
}

fn question(asking: Asking) -> v1::Question {
    let stage = match asking.stage {
        Stage::Project => v1::QuestionStage::Project,
        Stage::Kind => v1::QuestionStage::Kind,
        Stage::Backend => v1::QuestionStage::Backend,
    };
    v1::Question {
        name: asking.name.to_owned(),
        word: asking.word.to_owned(),
        words: asking.words,
        stage: stage.into(),
        usual: asking.usual,
        unsaid: asking.unsaid.map(str::to_owned),
    }
}

fn settings(pairs: impl IntoIterator<Item = (String, String)>) -> Vec<v1::Setting> {
    pairs.into_iter().map(|(key, value)| v1::Setting { key, value }).collect()
}
