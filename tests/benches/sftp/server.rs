//! A server at the other end of a long line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::place::Place;
use super::support::proxy::Proxy;
use super::support::servers::sftp::{SftpServer, Variant};

/// Half a round trip.
const WAY: Duration = Duration::from_millis(15);

pub(crate) struct FarServer {
    server: SftpServer,
    proxy: Proxy,
}

impl FarServer {
    /// `None`, with the reason told, where there is no server to start.
    pub(crate) fn start() -> Option<Self> {
        let server = SftpServer::start(Variant::Stock)?;
        let proxy = Proxy::to(server.port());
        proxy.takes(WAY, WAY);
        Some(Self { server, proxy })
    }

    pub(crate) fn new_root(&self) -> PathBuf {
        self.server.new_root()
    }

    pub(crate) fn user(&self) -> &str {
        self.server.user()
    }

    pub(crate) fn port(&self) -> String {
        self.proxy.port().to_string()
    }

    pub(crate) fn key(&self) -> String {
        self.server.key().display().to_string()
    }

    pub(crate) fn known_hosts(&self) -> String {
        self.server.known_hosts().display().to_string()
    }

    /// Makes a project of every file in a folder, and tells where.
    #[track_caller]
    pub(crate) fn inits(&self, place: &Place, name: &str) -> String {
        let url = self.server.url_through(self.proxy.port(), &self.new_root());
        let settings = self.server.settings();
        let mut arguments = vec!["init", ".", "--to", &url, "--pattern", "**/*"];
        arguments.extend(settings.iter().map(String::as_str));
        place.mirrorctl(name, &arguments);
        url
    }

    /// Fetches such a project into a new folder.
    #[track_caller]
    pub(crate) fn clones(&self, place: &Place, url: &str, name: &str) {
        let settings = self.server.settings();
        let mut arguments = vec!["clone", url, name];
        arguments.extend(settings.iter().map(String::as_str));
        place.mirrorctl("", &arguments);
    }

    /// Where a peer puts its copy, as `ssh` names it.
    pub(crate) fn named(&self, root: &Path) -> String {
        format!("{}@127.0.0.1:{}/", self.user(), root.display())
    }
}
