//! Tries the backend as it was answered, and lets one put right what fails.

use mirror_proto::v1::{
    FaultClass, Finding, FindingLevel, Setting, TryBackendRequest, TryBackendResponse,
};

use super::person::interrupted;
use super::place::Place;
use super::plan::{Plan, Verb};
use super::questions::Part;
use super::{Asking, given_up};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::escape::escape;

const AGAIN: &str = "again";

/// What may be done about a backend that does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Again,
    Kind,
    Folder,
    Part(Part),
    Settings,
    Quit,
}

const OF_A_FOLDER: [(Next, &str); 5] = [
    (Next::Again, AGAIN),
    (Next::Kind, "kind"),
    (Next::Folder, "folder"),
    (Next::Settings, "settings"),
    (Next::Quit, "quit"),
];

const OF_SFTP: [(Next, &str); 9] = [
    (Next::Again, AGAIN),
    (Next::Kind, "kind"),
    (Next::Part(Part::Host), "host"),
    (Next::Part(Part::User), "user"),
    (Next::Part(Part::Port), "port"),
    (Next::Part(Part::Path), "folder"),
    (Next::Part(Part::Key), "key"),
    (Next::Settings, "settings"),
    (Next::Quit, "quit"),
];

/// What may be changed: settings only where some were typed.
fn offered(plan: &Plan) -> Vec<(Next, &'static str)> {
    let all: &[_] = match &plan.place {
        Some(Place::Sftp(_)) => &OF_SFTP,
        Some(Place::Folder(_)) | None => &OF_A_FOLDER,
    };
    let is_there = |next: &Next| *next != Next::Settings || !plan.others.is_empty();
    all.iter().filter(|(next, _)| is_there(next)).copied().collect()
}

impl Asking<'_> {
    /// Gives the name of the project that the backend holds, if it holds one.
    pub(super) async fn until_it_works(&self, plan: &mut Plan) -> Result<Option<String>, Failure> {
        loop {
            let usual = match self.attempt(plan).await? {
                Tried::Works(held) => return Ok(held),
                Tried::Fails(usual) => usual,
            };
            self.put_right(plan, usual).await?;
        }
    }

    async fn attempt(&self, plan: &Plan) -> Result<Tried, Failure> {
        let url = plan.url();
        self.person.says(&format!("\nTrying {}", escape(&url)))?;
        let response = match self.call(url, plan.settings()).await {
            Ok(response) => response,
            // What it is asked for is wrong; a daemon that is gone is not.
            Err(failure) if matches!(failure.exit, Exit::Usage | Exit::Failed) => {
                self.person.hears_of_fault(&failure.fault)?;
                return Ok(Tried::Fails(AGAIN));
            }
            Err(failure) => return Err(failure),
        };
        self.person.hears_of(&response.findings)?;
        let failed = response.findings.iter().find(|found| found.level() == FindingLevel::Fail);
        match (failed, plan.verb, response.project) {
            (Some(failed), ..) => Ok(Tried::Fails(word_for(failed))),
            (None, Verb::Clone, None) => {
                self.person.says("No project is there; `mirrorctl init` makes one.")?;
                Ok(Tried::Fails("folder"))
            }
            (None, _, held) => Ok(Tried::Works(held)),
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
        let usual = offered.iter().map(|(_, word)| *word).find(|word| *word == usual);
        let question = question(&offered);
        let next = self
            .person
            .asks(&question, Some(usual.unwrap_or(AGAIN)), |typed| read(typed, &offered))
            .await?;
        match (next, &mut plan.place) {
            (Next::Again, _) => {}
            (Next::Quit, _) => return Err(given_up()),
            (Next::Part(part), Some(Place::Sftp(account))) => {
                self.person.says_again(part, account).await?;
            }
            (Next::Folder, _) => {
                plan.place = Some(Place::Folder(self.backend_folder(plan).await?));
            }
            (Next::Settings, _) => {
                let settings = self.settings(plan).await?;
                plan.says(settings);
            }
            (Next::Kind | Next::Part(_), _) => plan.place = Some(self.place(plan).await?),
        }
        Ok(())
    }
}

enum Tried {
    Works(Option<String>),
    /// With the word of what is best done next.
    Fails(&'static str),
}

/// The answer that a finding is about. Trust in a host is given elsewhere, as
/// the finding says, and then it is tried again.
fn word_for(failed: &Finding) -> &'static str {
    match failed.about() {
        "host" => "host",
        "user" => "user",
        "port" => "port",
        "path" => "folder",
        "key_file" => "key",
        "identity_agent" | "ssh_options" => "settings",
        _ if failed.class() == FaultClass::Usage => "settings",
        _ => AGAIN,
    }
}

fn question(offered: &[(Next, &str)]) -> String {
    let changes = offered.iter().filter(|(next, _)| !matches!(next, Next::Again | Next::Quit));
    let words: Vec<_> = changes.map(|(_, word)| *word).collect();
    format!("Try again, change {}, or quit", words.join(", "))
}

/// A word or the beginning of one alone.
fn read(typed: &str, offered: &[(Next, &str)]) -> Result<Next, String> {
    let typed = typed.to_lowercase();
    let mut meant = offered.iter().filter(|(_, word)| word.starts_with(&typed));
    match (meant.next(), meant.next()) {
        (Some((next, _)), None) => Ok(*next),
        _ => Err(format!("one of: {}", words_of(offered))),
    }
}

fn words_of(offered: &[(Next, &str)]) -> String {
    offered.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use mirror_proto::v1::InitProjectRequest;

    use super::*;

    #[test]
    fn word_may_be_cut_as_short_as_it_is_clear() {
        for (next, word) in OF_SFTP {
            assert_eq!(read(word, &OF_SFTP), Ok(next), "{word}");
        }
        assert_eq!(read("A", &OF_SFTP), Ok(Next::Again));
        assert_eq!(read("ke", &OF_SFTP), Ok(Next::Part(Part::Key)));
        for typed in ["", "x", "hosts", "k"] {
            assert!(read(typed, &OF_SFTP).is_err(), "{typed:?}");
        }
    }

    #[test]
    fn finding_leads_to_the_answer_that_it_is_about() {
        let about = |about: &str| Finding { about: Some(about.to_owned()), ..Finding::default() };
        assert_eq!(word_for(&about("path")), "folder");
        assert_eq!(word_for(&about("key_file")), "key");
        assert_eq!(word_for(&about("known_hosts_file")), "again");
        assert_eq!(word_for(&about("ssh_options")), "settings");
        assert_eq!(word_for(&Finding::default()), "again");
    }

    #[test]
    fn mistake_in_a_setting_leads_to_the_settings() {
        let mistake = |about: Option<&str>| Finding {
            class: Some(FaultClass::Usage.into()),
            about: about.map(str::to_owned),
            ..Finding::default()
        };
        assert_eq!(word_for(&mistake(Some("known_hosts_file"))), "settings");
        assert_eq!(word_for(&mistake(None)), "settings");
        assert_eq!(word_for(&mistake(Some("user"))), "user");
    }

    #[test]
    fn question_names_what_can_be_changed() {
        assert_eq!(
            question(&OF_SFTP),
            "Try again, change kind, host, user, port, folder, key, settings, or quit"
        );
    }

    #[test]
    fn settings_are_offered_where_there_are_some() {
        let mut plan = Plan::of_init(InitProjectRequest::default());
        assert!(!offered(&plan).contains(&(Next::Settings, "settings")));
        plan.says(vec![Setting { key: "poll_interval".to_owned(), value: "1".to_owned() }]);
        assert!(offered(&plan).contains(&(Next::Settings, "settings")));
    }
}
