//! Which kinds of backend there are: every service is registered here, and
//! nowhere else.
//!
//! Projects of one account share its connection, which ends with the last of
//! them. Opening a backend reaches nothing: a server that is away costs only
//! those who call it.

mod breaker;
mod service;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use mirror_storage::Backend;
use mirror_storage::adapter::{FolderBackend, SftpAccount, SftpBackend, SftpConnection};
use mirror_storage::layers::{CallCounts, Patience, SystemTimer, stack};

pub(crate) use breaker::Breaker;
pub(crate) use service::{RootError, Service};

use crate::config::SshConfig;
use crate::url::{BackendUrl, SftpUrl};

/// The name of the backend whose log decides.
pub(crate) const PRIMARY: &str = "primary";

/// Opens backends, and knows the connections that are in use.
#[derive(Debug)]
pub(crate) struct Backends {
    /// What `~` stands for in settings.
    home: PathBuf,
    connections: Mutex<HashMap<SftpAccount, Weak<SftpConnection>>>,
}

/// A backend that was opened.
pub(crate) struct Opened {
    /// With all layers around it.
    pub(crate) backend: Arc<dyn Backend>,
    /// The calls that went through the layers.
    pub(crate) counts: Arc<CallCounts>,
    pub(crate) service: Service,
}

impl Backends {
    pub(crate) fn new(home: PathBuf) -> Self {
        Self { home, connections: Mutex::default() }
    }

    pub(crate) fn open(&self, url: &BackendUrl, ssh: &SshConfig) -> Opened {
        let service = match url {
            BackendUrl::Folder(path) => {
                Service::Folder(Arc::new(FolderBackend::open(path.clone())), path.clone())
            }
            BackendUrl::Sftp(url) => {
                let connection = self.connection(self.account(url, ssh));
                let adapter = SftpBackend::open(connection.clone(), url.root.clone());
                Service::Sftp(Arc::new(adapter), connection)
            }
        };
        let timer = Arc::new(SystemTimer::default());
        let (backend, counts) = stack(service.adapter(), Patience::default(), timer);
        Opened { backend, counts, service }
    }

    fn account(&self, url: &SftpUrl, ssh: &SshConfig) -> SftpAccount {
        SftpAccount {
            user: url.user.clone(),
            host: url.host.clone(),
            port: url.port,
            ssh: ssh.with_home(&self.home),
        }
    }

    /// The connection of an account: the one in use, or else a new one.
    fn connection(&self, account: SftpAccount) -> Arc<SftpConnection> {
        let mut known = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, connection| connection.strong_count() > 0);
        if let Some(connection) = known.get(&account).and_then(Weak::upgrade) {
            return connection;
        }
        let connection = Arc::new(SftpConnection::new(account.clone()));
        known.insert(account, Arc::downgrade(&connection));
        connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection_of(backends: &Backends, url: &str, ssh: &SshConfig) -> Arc<SftpConnection> {
        match backends.open(&BackendUrl::parse(url).unwrap(), ssh).service {
            Service::Sftp(_, connection) => connection,
            Service::Folder(..) => panic!("{url} is no folder"),
        }
    }

    #[test]
    fn projects_of_one_account_share_its_connection_until_the_last_is_closed() {
        let backends = Backends::new("/home/ann".into());
        let open = |url: &str| connection_of(&backends, url, &SshConfig::default());
        let first = open("sftp://ann@nas/notes");
        let second = open("sftp://ann@nas/work");
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &open("sftp://bob@nas/notes")));
        assert!(!Arc::ptr_eq(&first, &open("sftp://ann@nas:22/notes")));

        drop(first);
        let gone = Arc::downgrade(&second);
        drop(second);

        assert!(gone.upgrade().is_none());
        let _new = open("sftp://ann@nas/notes");
        assert_eq!(backends.connections.lock().unwrap().len(), 1);
    }

    #[test]
    fn other_settings_are_another_connection() {
        let backends = Backends::new("/home/ann".into());
        let url = BackendUrl::parse("sftp://nas/notes").unwrap();
        let key = ("key_file".to_owned(), "~/.ssh/id".to_owned());
        let keyed = crate::projects::given(&url, &[key]).unwrap().ssh;
        let usual = connection_of(&backends, "sftp://nas/notes", &SshConfig::default());
        let other = connection_of(&backends, "sftp://nas/notes", &keyed);
        assert!(!Arc::ptr_eq(&usual, &other));
    }
}
