//! Tries the backend as it was answered, and lets one put right what fails.

use mirror_proto::v1::{Finding, FindingLevel, Setting, TryBackendRequest, TryBackendResponse};

use super::person::interrupted;
use super::place::Place;
use super::plan::{Plan, Verb};
use super::questions::Part;
use super::{Asking, command_line, given_up};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::escape::escape;

/// What may be done about a backend that does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Again,
    Kind,
    Folder,
    Part(Part),
    Quit,
}

const OF_A_FOLDER: [(Next, &str); 4] =
    [(Next::Again, "again"), (Next::Kind, "kind"), (Next::Folder, "folder"), (Next::Quit, "quit")];

const OF_SFTP: [(Next, &str); 8] = [
    (Next::Again, "again"),
    (Next::Kind, "kind"),
    (Next::Part(Part::Host), "host"),
    (Next::Part(Part::User), "user"),
    (Next::Part(Part::Port), "port"),
    (Next::Part(Part::Path), "folder"),
    (Next::Part(Part::Key), "key"),
    (Next::Quit, "quit"),
];

/// What a finding is about when nobody has vouched for the host yet.
const UNKNOWN_HOST: &str = "known_hosts_file";

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
                return Ok(Tried::Fails("again"));
            }
            Err(failure) => return Err(failure),
        };
        self.person.hears_of(&response.findings)?;
        let failed = response.findings.iter().find(|found| found.level() == FindingLevel::Fail);
        match (failed, plan.verb, response.project) {
            (Some(failed), ..) => {
                self.explain_trust(failed, plan)?;
                Ok(Tried::Fails(word_for(failed)))
            }
            (None, Verb::Clone, None) => {
                self.person.says("No project is there; `mirrorctl init` makes one.")?;
                Ok(Tried::Fails("folder"))
            }
            (None, _, held) => Ok(Tried::Works(held)),
        }
    }

    /// Only a person can say that a host is the right one, and only to ssh.
    fn explain_trust(&self, failed: &Finding, plan: &Plan) -> Result<(), Failure> {
        match &plan.place {
            Some(Place::Sftp(account)) if failed.about() == UNKNOWN_HOST => {
                let command = command_line::to_know(account, plan);
                self.person.says(&format!(
                    "In another terminal, run\n  {}\nand answer yes if the fingerprint that it \
                     shows is the server's own; then try again here.",
                    escape(&command)
                ))
            }
            _ => Ok(()),
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
        let offered: &[(Next, &str)] = match &plan.place {
            Some(Place::Sftp(_)) => &OF_SFTP,
            Some(Place::Folder(_)) | None => &OF_A_FOLDER,
        };
        let usual = offered.iter().map(|(_, word)| *word).find(|word| *word == usual);
        let question = question(offered);
        let next = self.person.asks(&question, usual, |typed| read(typed, offered)).await?;
        match (next, &mut plan.place) {
            (Next::Again, _) => {}
            (Next::Quit, _) => return Err(given_up()),
            (Next::Part(part), Some(Place::Sftp(account))) => {
                self.person.says_again(part, account).await?;
            }
            (Next::Folder, _) => {
                plan.place = Some(Place::Folder(self.backend_folder(plan).await?));
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

/// The answer that a finding is about. Trust in a host is given elsewhere, and
/// then it is tried again.
fn word_for(failed: &Finding) -> &'static str {
    match failed.about() {
        "host" => "host",
        "user" => "user",
        "port" => "port",
        "path" => "folder",
        "key_file" => "key",
        _ => "again",
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
        assert_eq!(word_for(&Finding::default()), "again");
    }

    #[test]
    fn question_names_what_can_be_changed() {
        assert_eq!(
            question(&OF_SFTP),
            "Try again, change kind, host, user, port, folder, key, or quit"
        );
    }
}
