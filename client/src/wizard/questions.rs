//! What is asked, and in which order.

use mirror_proto::v1::Setting;

use super::checks::{self, ALL_OF_IT, Kind, USUAL_PATTERN};
use super::place::{Account, Place};
use super::plan::{Plan, Verb};
use super::{Asking, Person};
use crate::failure::Failure;
use crate::paths;
use crate::settings;

/// What holds where a question about ssh is left open.
const AS_SSH: &str = "as ssh has it";

impl Asking<'_> {
    pub(super) async fn folder_of_init(&self, plan: &Plan) -> Result<String, Failure> {
        let check = |typed: &str| checks::folder_of_init(typed, &self.projects);
        self.person.asks("Folder to mirror", Some(&plan.folder), check).await
    }

    pub(super) async fn folder_of_clone(
        &self,
        plan: &Plan,
        held: Option<&str>,
    ) -> Result<String, Failure> {
        let check = |typed: &str| checks::folder_of_clone(typed, &self.projects);
        let usual = match plan.folder.as_str() {
            "" => paths::absolute(held.unwrap_or_default())?,
            typed => typed.to_owned(),
        };
        self.person.asks("Folder to make of it", Some(&usual), check).await
    }

    /// All about the backend's place; what there is already is proposed.
    pub(super) async fn place(&self, plan: &Plan) -> Result<Place, Failure> {
        let usual = match &plan.place {
            Some(Place::Sftp(_)) => "sftp",
            Some(Place::Folder(_)) | None => "folder",
        };
        let words = "Where to keep the history, folder or sftp";
        match self.person.asks(words, Some(usual), checks::kind).await? {
            Kind::Folder => Ok(Place::Folder(self.backend_folder(plan).await?)),
            Kind::Sftp => Ok(Place::Sftp(self.account(plan).await?)),
        }
    }

    pub(super) async fn backend_folder(&self, plan: &Plan) -> Result<String, Failure> {
        let usual = match &plan.place {
            Some(Place::Folder(path)) => Some(path.as_str()),
            Some(Place::Sftp(_)) | None => None,
        };
        let check = |typed: &str| match plan.verb {
            Verb::Init => checks::backend_of_init(typed, &plan.folder),
            Verb::Clone => checks::backend_of_clone(typed),
        };
        self.person.asks("Path of that folder, on a disk or a NAS mount", usual, check).await
    }

    async fn account(&self, plan: &Plan) -> Result<Account, Failure> {
        let mut account = match &plan.place {
            Some(Place::Sftp(account)) => account.clone(),
            Some(Place::Folder(_)) | None => {
                Account { key: plan.key.clone(), ..Account::default() }
            }
        };
        if account.path.is_empty() && plan.verb == Verb::Init {
            account.path = format!("~/{}", plan.usual_name());
        }
        for part in Part::ALL {
            self.person.says_again(part, &mut account).await?;
        }
        Ok(account)
    }

    /// Each setting that is not asked for otherwise, as it was or anew.
    pub(super) async fn settings(&self, plan: &Plan) -> Result<Vec<Setting>, Failure> {
        let mut all = Vec::new();
        for Setting { key, value } in &plan.others {
            let usual = format!("{key}={value}");
            let said =
                self.person.may_say("Setting", "none", Some(&usual), settings::parse).await?;
            all.extend(said);
        }
        Ok(all)
    }

    pub(super) async fn name(
        &self,
        plan: &Plan,
        held: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        let own = match plan.verb {
            Verb::Init => plan.usual_name(),
            Verb::Clone => held.unwrap_or_default(),
        };
        let usual = plan.name.as_deref().unwrap_or(own);
        let check = |typed: &str| checks::name(typed, &self.projects);
        let name = self.person.asks("Name of the project here", Some(usual), check).await?;
        Ok(Some(name).filter(|name| name != own))
    }

    pub(super) async fn patterns(&self, plan: &Plan, joins: bool) -> Result<Vec<String>, Failure> {
        let typed = plan.patterns.join(" ");
        let usual = match (typed.as_str(), joins) {
            ("", true) => ALL_OF_IT,
            ("", false) => USUAL_PATTERN,
            (typed, _) => typed,
        };
        let words = "Files to mirror, as globs with spaces between them";
        self.person.asks(words, Some(usual), |typed| checks::patterns(typed, joins)).await
    }
}

/// A part of an account that can be answered anew on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Host,
    User,
    Port,
    Path,
    Key,
}

impl Part {
    const ALL: [Self; 5] = [Self::Host, Self::User, Self::Port, Self::Path, Self::Key];
}

impl Person<'_> {
    pub(super) async fn says_again(
        &self,
        part: Part,
        account: &mut Account,
    ) -> Result<(), Failure> {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        match part {
            Part::Host => {
                let usual = some(&account.host);
                let words = "Host, or what ~/.ssh/config calls it";
                account.host = self.asks(words, usual.as_deref(), checks::host).await?;
            }
            Part::User => {
                let usual = account.user.take();
                let words = "User on that host";
                account.user = self.may_say(words, AS_SSH, usual.as_deref(), checks::user).await?;
            }
            Part::Port => {
                let usual = account.port.map(|port| port.to_string());
                account.port = self.may_say("Port", AS_SSH, usual.as_deref(), checks::port).await?;
            }
            Part::Path => {
                let usual = some(&account.path);
                let words = "Folder on that host, from / or from your home ~/";
                account.path = self.asks(words, usual.as_deref(), checks::server_path).await?;
            }
            Part::Key => {
                let usual = account.key.take();
                let words = "File of your private key";
                account.key =
                    self.may_say(words, AS_SSH, usual.as_deref(), checks::key_file).await?;
            }
        }
        Ok(())
    }
}
