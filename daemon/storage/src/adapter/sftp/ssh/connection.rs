//! One connection to one account, made when first needed and again when lost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::super::config::SftpAccount;
use super::super::wire::Session;
use super::fault::SftpFault;
use super::process;
use crate::StorageError;

/// How long a server may be silent while answers are due.
const PATIENCE: Duration = Duration::from_secs(30);

/// After a try in vain, callers hear its cause for this long before there is
/// another; twice as long after each further one.
const FIRST_REST: Duration = Duration::from_millis(500);
const LONGEST_REST: Duration = Duration::from_secs(5);

/// A connection to one account, shared by the projects that use it.
///
/// It is made by the first call that needs it. When it is lost, the calls under
/// way fail, and the next one makes it anew.
#[derive(Debug)]
pub struct SftpConnection {
    account: SftpAccount,
    patience: Duration,
    session: Mutex<Option<Arc<Session>>>,
    /// Held by the one caller that makes the connection.
    tries: tokio::sync::Mutex<Tries>,
}

#[derive(Debug, Default)]
struct Tries {
    last: Option<FailedTry>,
    rest: Duration,
}

/// A try in vain.
#[derive(Debug)]
struct FailedTry {
    fault: SftpFault,
    at: Instant,
    /// When there may be another.
    next: Instant,
}

impl SftpConnection {
    pub fn new(account: SftpAccount) -> Self {
        Self {
            account,
            patience: PATIENCE,
            session: Mutex::default(),
            tries: tokio::sync::Mutex::default(),
        }
    }

    /// Gives the server up after `patience` without a byte of an answer, once
    /// it has greeted.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    pub fn account(&self) -> &SftpAccount {
        &self.account
    }

    /// Connects, unless it is connected, and says why it can't. A person who
    /// asks is never told an old cause.
    pub async fn greet(&self) -> Result<(), StorageError> {
        self.connect(true).await.map(drop).map_err(|fault| self.error(fault))
    }

    pub fn is_connected(&self) -> bool {
        self.current().is_some()
    }

    /// Ends the connection; the next call makes another.
    pub async fn close(&self) {
        let session = self.session.lock().expect("no panic while held").take();
        if let Some(session) = session {
            session.finish().await;
        }
    }

    pub(crate) async fn session(&self) -> Result<Arc<Session>, StorageError> {
        match self.current() {
            Some(session) => Ok(session),
            None => self.connect(false).await.map_err(|fault| self.error(fault)),
        }
    }

    pub(crate) fn error(&self, fault: SftpFault) -> StorageError {
        fault.error(&self.account)
    }

    fn current(&self) -> Option<Arc<Session>> {
        let session = self.session.lock().expect("no panic while held");
        session.as_ref().filter(|session| !session.is_over()).cloned()
    }

    async fn connect(&self, is_asked: bool) -> Result<Arc<Session>, SftpFault> {
        let asked = Instant::now();
        let mut tries = self.tries.lock().await;
        // Made by another while we waited for our turn.
        if let Some(session) = self.current() {
            return Ok(session);
        }
        match &tries.last {
            // All who wait for one try hear how it ended.
            Some(last) if last.at >= asked || !is_asked && Instant::now() < last.next => {
                return Err(last.fault.clone());
            }
            _ => {}
        }
        let started = match process::open_line(&self.account) {
            Ok(line) => Session::start(line, self.patience).await.map_err(SftpFault::from),
            Err(fault) => Err(fault),
        };
        match started {
            Ok(session) => {
                let session = Arc::new(session);
                *tries = Tries::default();
                let mut held = self.session.lock().expect("no panic while held");
                *held = Some(session.clone());
                Ok(session)
            }
            Err(fault) => {
                let fault = with_fingerprint(fault, &self.account).await;
                tries.rest = (tries.rest * 2).clamp(FIRST_REST, LONGEST_REST);
                let at = Instant::now();
                tries.last = Some(FailedTry { fault: fault.clone(), at, next: at + tries.rest });
                Err(fault)
            }
        }
    }
}

/// Adds which key the host shows, where that is not said yet. Of one that it
/// doesn't know at all, `ssh` says it only among much else, which would be taken
/// for the cause of a failure: so it is asked once more, for this alone.
async fn with_fingerprint(fault: SftpFault, account: &SftpAccount) -> SftpFault {
    match fault {
        SftpFault::HostKeyUnknown(key) => {
            let said = process::hear_login(account).await.unwrap_or_default();
            SftpFault::HostKeyUnknown(key.with_fingerprint_in(&said))
        }
        fault => fault,
    }
}
