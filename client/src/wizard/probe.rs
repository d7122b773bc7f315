//! Tries the backend as it was answered, and lets one put right what fails.

use mirror_proto::v1::{
    FaultClass, Finding, FindingLevel, Question, QuestionStage, Setting, TryBackendRequest,
    TryBackendResponse,
};

use super::asking::Asking;
use super::plan::Plan;
use super::prompt::{given_up, interrupted};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::escape::escape;

/// The part of a URL that says which folder of a service is meant.
const PATH: &str = "path";

const AGAIN: &str = "again";
const SETTINGS: &str = "settings";
const QUIT: &str = "quit";

/// What may be done about a backend that does not work.
#[derive(Clone, Debug, PartialEq)]
enum Next {
    Again,
    Change(Question),
    Settings,
    Quit,
}

/// What may be changed: settings only where some were typed.
fn offered(plan: &Plan) -> Vec<(Next, String)> {
    let change = plan.of_backend().map(|asked| (Next::Change(asked.clone()), asked.word.clone()));
    let mut offered = vec![(Next::Again, AGAIN.to_owned())];
    offered.extend(change);
    if plan.unasked().next().is_some() {
        offered.push((Next::Settings, SETTINGS.to_owned()));
    }
    offered.push((Next::Quit, QUIT.to_owned()));
    offered
}

impl Asking<'_> {
    /// Gives the name of the project that the backend holds, if it holds one.
    pub(super) async fn until_it_works(&self, plan: &mut Plan) -> Result<Option<String>, Failure> {
        loop {
            let usual = match self.attempt(plan).await? {
                Tried::Works(held) => return Ok(held),
                Tried::Fails(usual) => usual,
            };
            self.put_right(plan, &usual).await?;
        }
    }

    async fn attempt(&self, plan: &Plan) -> Result<Tried, Failure> {
        let url = plan.draft.url.clone();
        self.person.says(&format!("\nTrying {}", escape(&url)))?;
        let response = match self.call(url, plan.settings.clone()).await {
            Ok(response) => response,
            // What it is asked for is wrong; a daemon that is gone is not.
            Err(failure) if matches!(failure.exit, Exit::Usage | Exit::Failed) => {
                self.person.hears_of_fault(&failure.fault)?;
                return Ok(Tried::Fails(AGAIN.to_owned()));
            }
            Err(failure) => return Err(failure),
        };
        self.person.hears_of(&response.findings)?;
        let failed = response.findings.iter().find(|found| found.level() == FindingLevel::Fail);
        match (failed, response.project) {
            (Some(failed), _) => Ok(Tried::Fails(word_for(failed, plan))),
            (None, None) if !plan.is_init() => {
                self.person.says("No project is there; `mirrorctl init` makes one.")?;
                Ok(Tried::Fails(word_of(PATH, plan).unwrap_or_default()))
            }
            (None, held) => Ok(Tried::Works(held)),
        }
    }

    async fn call(
        &self,
        url: String,
        settings: Vec<Setting>,
    ) -> Result<TryBackendResponse, Failure> {
        let mut service = self.daemon.doctor();
        tokio::select! {
            tried = service.try_backend(TryBackendRequest { url, settings }) => {
                Ok(tried?.into_inner())
            }
            _ = tokio::signal::ctrl_c() => Err(interrupted()),
        }
    }

    async fn put_right(&self, plan: &mut Plan, usual: &str) -> Result<(), Failure> {
        let offered = offered(plan);
        let is_offered = offered.iter().any(|(_, word)| word == usual);
        let usual = if is_offered { usual } else { AGAIN };
        let words = question(&offered);
        match self.person.asks(&words, usual, |typed| read(typed, &offered)).await? {
            Next::Again => Ok(()),
            Next::Quit => Err(given_up()),
            Next::Settings => self.settings(plan).await,
            Next::Change(asked) if asked.stage() == QuestionStage::Kind => {
                self.asks_anew(plan, asked).await
            }
            Next::Change(asked) => self.asks(plan, asked).await,
        }
    }
}

enum Tried {
    Works(Option<String>),
    /// With the word of what is best done next.
    Fails(String),
}

/// The answer that a finding is about. Trust in a server is given elsewhere, as
/// the finding says, and then it is tried again.
fn word_for(failed: &Finding, plan: &Plan) -> String {
    let about = failed.about();
    let is_typed = |key: &str| plan.unasked().any(|setting| setting.key == key);
    match (word_of(about, plan), failed.class()) {
        (Some(word), _) => word,
        (None, FaultClass::Usage) => SETTINGS.to_owned(),
        (None, class) if class != FaultClass::Auth && is_typed(about) => SETTINGS.to_owned(),
        (None, _) => AGAIN.to_owned(),
    }
}

fn word_of(name: &str, plan: &Plan) -> Option<String> {
    plan.of_backend().find(|asked| asked.name == name).map(|asked| asked.word.clone())
}

fn question(offered: &[(Next, String)]) -> String {
    let changes = offered.iter().filter(|(next, _)| !matches!(next, Next::Again | Next::Quit));
    let words: Vec<_> = changes.map(|(_, word)| word.as_str()).collect();
    format!("Try again, change {}, or quit", words.join(", "))
}

/// A word or the beginning of one alone.
fn read(typed: &str, offered: &[(Next, String)]) -> Result<Next, String> {
    let typed = typed.to_lowercase();
    let mut meant = offered.iter().filter(|(_, word)| word.starts_with(&typed));
    match (meant.next(), meant.next()) {
        (Some((next, _)), None) => Ok(next.clone()),
        _ => Err(format!("one of: {}", words_of(offered))),
    }
}

fn words_of(offered: &[(Next, String)]) -> String {
    offered.iter().map(|(_, word)| word.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::InitProjectRequest;

    use super::*;

    fn asked(name: &str, word: &str, stage: QuestionStage) -> Question {
        let (name, word) = (name.to_owned(), word.to_owned());
        Question { name, word, stage: stage.into(), ..Question::default() }
    }

    fn plan() -> Plan {
        let mut plan = Plan::of_init(InitProjectRequest::default());
        plan.questions = vec![
            asked("folder", "folder", QuestionStage::Project),
            asked("kind", "kind", QuestionStage::Kind),
            asked("shelf", "shelf", QuestionStage::Backend),
            asked("path", "folder", QuestionStage::Backend),
            asked("token", "key", QuestionStage::Backend),
        ];
        plan
    }

    #[test]
    fn word_may_be_cut_as_short_as_it_is_clear() {
        let offered = offered(&plan());
        for (next, word) in &offered {
            assert_eq!(read(word, &offered).as_ref(), Ok(next), "{word}");
        }
        assert_eq!(read("A", &offered), Ok(Next::Again));
        assert_eq!(read("ke", &offered), Ok(offered[4].0.clone()));
        for typed in ["", "x", "shelves", "k"] {
            assert!(read(typed, &offered).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn finding_leads_to_the_answer_that_it_is_about() {
        let word = |about: &str, class: FaultClass| {
            let about = Some(about.to_owned()).filter(|about| !about.is_empty());
            let class = Some(class.into());
            let mut plan = plan();
            plan.settings = vec![Setting { key: "proxy".to_owned(), value: "x".to_owned() }];
            word_for(&Finding { about, class, ..Finding::default() }, &plan)
        };
        assert_eq!(word("path", FaultClass::NotFound), "folder");
        assert_eq!(word("token", FaultClass::Auth), "key");
        assert_eq!(word("known_servers", FaultClass::Auth), "again");
        assert_eq!(word("proxy", FaultClass::Transient), "settings");
        assert_eq!(word("host", FaultClass::Transient), "again");
        assert_eq!(word("", FaultClass::Transient), "again");
        assert_eq!(word("known_servers", FaultClass::Usage), "settings");
        assert_eq!(word("", FaultClass::Usage), "settings");
        assert_eq!(word("shelf", FaultClass::Usage), "shelf");
    }

    #[test]
    fn question_names_what_can_be_changed() {
        let asked = "Try again, change kind, shelf, folder, key, or quit";
        assert_eq!(question(&offered(&plan())), asked);
    }

    #[test]
    fn settings_are_offered_where_there_are_some() {
        let mut plan = plan();
        let setting = |key: &str| Setting { key: key.to_owned(), value: "1".to_owned() };
        let is_offered =
            |plan: &Plan| offered(plan).iter().any(|(next, _)| *next == Next::Settings);
        plan.settings = vec![setting("token")];
        assert!(!is_offered(&plan));
        plan.settings.push(setting("poll_interval"));
        assert!(is_offered(&plan));
    }
}
