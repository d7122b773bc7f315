//! `VersionService`: lists the versions of single files, and brings them back.

use mirror_core::Timestamp;
use mirror_engine::{EngineError, Job, VersionName};
use mirror_proto::v1;
use tonic::{Request, Response, Status};

use super::history::time;
use crate::error::RequestError;
use crate::server::convert::fault::project_fault;
use crate::server::convert::version::{file_version, version_name};
use crate::server::host::{Events, Host, Streamed};
use crate::server::job::run::{only, output_tree, text};
use crate::server::pieces::send_content;

#[tonic::async_trait]
impl v1::version_service_server::VersionService for Host {
    type RestoreStream = Streamed<v1::JobEvent>;
    type ReadVersionStream = Streamed<v1::VersionPiece>;

    async fn list_versions(
        &self,
        request: Request<v1::ListVersionsRequest>,
    ) -> Result<Response<v1::ListVersionsResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("history", async move {
            let asked = host.asked(request.project).await?;
            let path = only(asked.names(request.folder, vec![request.path]).await?)?;
            let bound = |text: Option<String>| text.as_deref().map(time).transpose();
            let (since, until): (Option<Timestamp>, _) =
                (bound(request.since)?, bound(request.until)?);
            let versions = asked.project().versions(path.clone(), since, until).await?;
            let versions = versions.iter().map(file_version).collect();
            let home = &host.registry.folders.home;
            let fault = asked.stop().map(|fault| project_fault(&fault, home));
            Ok(v1::ListVersionsResponse { path, versions, fault })
        })
        .await
    }

    async fn read_version(
        &self,
        request: Request<v1::ReadVersionRequest>,
    ) -> Result<Response<Self::ReadVersionStream>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        Ok(self.stream("show", |pieces| async move { host.read_version(request, pieces).await }))
    }

    async fn restore(
        &self,
        request: Request<v1::RestoreRequest>,
    ) -> Result<Response<Self::RestoreStream>, Status> {
        let request = request.into_inner();
        let (from, output) = (request.from, text(request.output));
        let dry_run = request.scope.as_ref().is_some_and(|scope| scope.dry_run);
        let own = self.registry.own_places();
        Ok(self.job_aside("restore", request.scope, move |scope, place| {
            let from = from.as_deref().map(version_name).transpose()?;
            let tree =
                || output.map(|output| output_tree(&output, place, own, dry_run)).transpose();
            let from = match from {
                None | Some(VersionName::Latest) => None,
                Some(VersionName::Commit(seq)) => Some(seq),
                Some(VersionName::Digest(digits)) => {
                    let [path] = &scope.names[..] else { return Err(EngineError::OneFile.into()) };
                    let path = path.clone();
                    return Ok(Job::RestoreVersion { path, digits, output: tree()? });
                }
            };
            Ok(Job::Restore { scope, from, output: tree()? })
        }))
    }
}

impl Host {
    async fn read_version(
        &self,
        request: v1::ReadVersionRequest,
        pieces: Events<v1::VersionPiece>,
    ) -> Result<v1::VersionPiece, RequestError> {
        let asked = self.asked(request.project).await?;
        let name = only(asked.names(request.folder, vec![request.target]).await?)?;
        let (path, version) = target(&name, asked.project().knows(&name)?)?;
        let (version, content) = asked.project().version(path, version).await?;
        let version = file_version(&version);
        let piece = move |content| v1::VersionPiece { content, version: Some(version.clone()) };
        send_content(content, pieces, piece).await
    }
}

/// The file and the version of it that are meant. A file of the whole name is that
/// file.
fn target(name: &str, is_known: bool) -> Result<(String, VersionName), RequestError> {
    match name.rsplit_once('@') {
        Some((path, version)) if !is_known && !path.is_empty() => {
            Ok((path.to_owned(), version_name(version)?))
        }
        _ => Ok((name.to_owned(), VersionName::Latest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, is_known: bool, path: &str, version: VersionName) {
        assert_eq!(target(name, is_known).unwrap(), (path.to_owned(), version), "{name}");
    }

    #[test]
    fn version_stands_after_the_last_at_sign() {
        check("a.md", false, "a.md", VersionName::Latest);
        check("a.md@12", false, "a.md", VersionName::Commit(12));
        check("me@home/a.md@#12", false, "me@home/a.md", VersionName::Commit(12));
        check("a.md@01234567", false, "a.md", VersionName::Digest("01234567".to_owned()));
        assert!(target("a.md@soon", false).is_err());
    }

    #[test]
    fn file_of_the_whole_name_is_that_file() {
        check("me@home.md", true, "me@home.md", VersionName::Latest);
        check("a.md@12", true, "a.md@12", VersionName::Latest);
    }
}
