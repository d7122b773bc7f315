//! Asks the questions that the daemon has, and gives it the answers to look at.

use mirror_proto::v1::{CheckAnswerRequest, Question, QuestionStage, Setting};

use super::asking::Asking;
use super::plan::Plan;
use super::prompt::interrupted;
use crate::failure::Failure;
use crate::output::escape::escape;
use crate::paths;
use crate::settings;

impl Asking<'_> {
    /// Every question once; what is answered already is what it proposes.
    pub(super) async fn asks_all(&self, plan: &mut Plan) -> Result<(), Failure> {
        self.looks_again(plan).await?;
        let mut answered = 0;
        while let Some(question) = plan.questions.get(answered).cloned() {
            self.asks(plan, question).await?;
            answered += 1;
            if answered == plan.up_to_the_backend() {
                self.tries(plan).await?;
                // Another kind has another number of questions.
                answered = plan.up_to_the_backend();
            }
        }
        Ok(())
    }

    async fn tries(&self, plan: &mut Plan) -> Result<(), Failure> {
        plan.draft.held = self.until_it_works(plan).await?;
        self.looks_again(plan).await?;
        match &plan.draft.held {
            Some(name) if plan.is_init() => self.person.says(&format!(
                "The backend already holds the project {}: this folder joins it.",
                escape(name)
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// Asks until the answer can be used.
    pub(super) async fn asks(&self, plan: &mut Plan, question: Question) -> Result<(), Failure> {
        loop {
            let typed = self.person.answers(&question).await?;
            match self.check(plan, Some(question.name.clone()), typed).await? {
                Some(why) => self.person.hears_why_not(&why)?,
                None => return Ok(()),
            }
        }
    }

    /// The same for the kind of service, and all that is asked about such a one.
    pub(super) async fn asks_anew(&self, plan: &mut Plan, kind: Question) -> Result<(), Failure> {
        self.asks(plan, kind).await?;
        let is_of_backend = |question: &Question| question.stage() == QuestionStage::Backend;
        let names: Vec<_> = plan.of_backend().filter(|one| is_of_backend(one)).cloned().collect();
        for question in names {
            self.asks(plan, question).await?;
        }
        Ok(())
    }

    /// Asks the daemon what is asked for by now.
    pub(super) async fn looks_again(&self, plan: &mut Plan) -> Result<(), Failure> {
        self.check(plan, None, None).await.map(drop)
    }

    async fn check(
        &self,
        plan: &mut Plan,
        question: Option<String>,
        answer: Option<String>,
    ) -> Result<Option<String>, Failure> {
        let draft = Some(plan.draft.clone());
        let request = CheckAnswerRequest { draft, question, answer, folder: paths::current()? };
        let mut service = self.daemon.question();
        tokio::select! {
            checked = service.check_answer(request) => Ok(plan.hears(checked?.into_inner())),
            _ = tokio::signal::ctrl_c() => Err(interrupted()),
        }
    }

    /// Each setting that no question is about, as it was or anew.
    pub(super) async fn settings(&self, plan: &mut Plan) -> Result<(), Failure> {
        let mut all = Vec::new();
        for Setting { key, value } in plan.unasked() {
            let usual = format!("{key}={value}");
            all.extend(self.person.may_say("Setting", "none", &usual, settings::parse).await?);
        }
        plan.says(all);
        self.looks_again(plan).await
    }
}
