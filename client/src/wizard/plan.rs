//! All that is asked for, from what was typed and back into a request.

use mirror_proto::v1::{CloneProjectRequest, InitProjectRequest, Setting};

use super::place::Place;

const KEY_FILE: &str = "key_file";

/// Settings that only a backend behind ssh has.
const OF_SSH: [&str; 4] = [KEY_FILE, "known_hosts_file", "identity_agent", "ssh_options"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Init,
    Clone,
}

#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) verb: Verb,
    /// Absolute; empty until it is answered.
    pub(super) folder: String,
    pub(super) place: Option<Place>,
    pub(super) name: Option<String>,
    pub(super) patterns: Vec<String>,
    pub(super) excludes: Vec<String>,
    /// The file of a key that was typed, to propose it.
    pub(super) key: Option<String>,
    /// Settings that are not asked for, unless they fail.
    pub(super) others: Vec<Setting>,
    pub(super) no_pull: bool,
}

impl Plan {
    pub(super) fn of_init(typed: InitProjectRequest) -> Self {
        let as_clone = CloneProjectRequest {
            url: typed.url,
            folder: typed.folder,
            name: typed.name,
            patterns: typed.patterns,
            settings: typed.settings,
            no_pull: false,
        };
        Self { verb: Verb::Init, excludes: typed.excludes, ..Self::of_clone(as_clone) }
    }

    pub(super) fn of_clone(typed: CloneProjectRequest) -> Self {
        let mut plan = Self {
            verb: Verb::Clone,
            folder: typed.folder,
            place: Place::proposed_by(&typed.url),
            name: typed.name,
            patterns: typed.patterns,
            excludes: Vec::new(),
            key: None,
            others: Vec::new(),
            no_pull: typed.no_pull,
        };
        plan.says(typed.settings);
        plan
    }

    /// Takes these for what stands beside the URL. A key's file among them is
    /// the one to use.
    pub(super) fn says(&mut self, settings: Vec<Setting>) {
        let (keys, others): (Vec<_>, Vec<_>) =
            settings.into_iter().partition(|setting| setting.key == KEY_FILE);
        self.others = others;
        let Some(key) = keys.into_iter().next_back() else { return };
        if let Some(Place::Sftp(account)) = &mut self.place {
            account.key = Some(key.value.clone());
        }
        self.key = Some(key.value);
    }

    pub(super) fn into_init(self) -> InitProjectRequest {
        InitProjectRequest {
            url: self.url(),
            settings: self.settings(),
            folder: self.folder,
            name: self.name,
            patterns: self.patterns,
            excludes: self.excludes,
        }
    }

    pub(super) fn into_clone(self) -> CloneProjectRequest {
        CloneProjectRequest {
            url: self.url(),
            settings: self.settings(),
            folder: self.folder,
            name: self.name,
            patterns: self.patterns,
            no_pull: self.no_pull,
        }
    }

    pub(super) fn url(&self) -> String {
        self.place.as_ref().map(Place::url).unwrap_or_default()
    }

    /// Those that this kind of backend has.
    pub(super) fn settings(&self) -> Vec<Setting> {
        let is_of_ssh = |setting: &&Setting| OF_SSH.contains(&setting.key.as_str());
        match &self.place {
            Some(Place::Sftp(account)) => {
                let key = account.key.clone();
                let key = key.map(|value| Setting { key: KEY_FILE.to_owned(), value });
                key.into_iter().chain(self.others.iter().cloned()).collect()
            }
            Some(Place::Folder(_)) | None => {
                self.others.iter().filter(|setting| !is_of_ssh(setting)).cloned().collect()
            }
        }
    }

    /// The last part of its folder, after which a project is called unless it
    /// has a name of its own.
    pub(super) fn usual_name(&self) -> &str {
        self.folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_comes_back_as_it_was_typed() {
        let setting = |key: &str, value: &str| Setting { key: key.into(), value: value.into() };
        let typed = InitProjectRequest {
            folder: "/n".to_owned(),
            url: "sftp://ann@nas:22/~/notes".to_owned(),
            name: Some("mine".to_owned()),
            patterns: vec!["**/*".to_owned()],
            excludes: vec!["tmp/**".to_owned()],
            settings: vec![setting("key_file", "/k"), setting("poll_interval", "5s")],
        };
        assert_eq!(Plan::of_init(typed.clone()).into_init(), typed);

        let typed = CloneProjectRequest {
            url: "folder:/mnt/nas".to_owned(),
            folder: "/n".to_owned(),
            no_pull: true,
            settings: vec![setting("poll_interval", "5s")],
            ..CloneProjectRequest::default()
        };
        assert_eq!(Plan::of_clone(typed.clone()).into_clone(), typed);
    }

    #[test]
    fn key_that_is_said_anew_is_the_one_to_use() {
        let setting = |key: &str| Setting { key: key.into(), value: "/k".into() };
        let mut plan = Plan::of_init(InitProjectRequest {
            url: "sftp://nas/~/notes".to_owned(),
            settings: vec![setting("keyfile")],
            ..InitProjectRequest::default()
        });

        plan.says(vec![setting("key_file")]);

        assert_eq!(plan.settings(), [setting("key_file")]);
    }

    #[test]
    fn folder_has_no_settings_of_ssh() {
        let setting = |key: &str| Setting { key: key.into(), value: "/x".into() };
        let mut plan = Plan::of_init(InitProjectRequest {
            settings: ["key_file", "known_hosts_file", "poll_interval"].map(setting).into(),
            ..InitProjectRequest::default()
        });

        plan.place = Some(Place::Folder("/mnt/nas".to_owned()));

        assert_eq!(plan.settings(), [setting("poll_interval")]);
        assert_eq!(plan.key.as_deref(), Some("/x"), "kept to be proposed");
    }
}
