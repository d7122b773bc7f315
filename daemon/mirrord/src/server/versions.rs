//! `VersionService`: lists the versions of single files, and brings them back.

use mirror_core::Timestamp;
use mirror_engine::Job;
use mirror_proto::v1;
use tonic::{Request, Response, Status};

use super::convert::version::file_version;
use super::history::time;
use super::host::{Host, Streamed, names_in};
use super::jobs::{only, output_tree, text};
use crate::error::RequestError;

#[tonic::async_trait]
impl v1::version_service_server::VersionService for Host {
    type RestoreStream = Streamed<v1::JobEvent>;

    async fn list_versions(
        &self,
        request: Request<v1::ListVersionsRequest>,
    ) -> Result<Response<v1::ListVersionsResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("history", async move {
            let open = host.project(request.project).await?;
            let path = only(names_in(&open, request.folder, vec![request.path]).await?)?;
            let bound = |text: Option<String>| text.as_deref().map(time).transpose();
            let (since, until): (Option<Timestamp>, _) =
                (bound(request.since)?, bound(request.until)?);
            let versions = open.project.versions(path.clone(), since, until).await?;
            let versions = versions.iter().map(file_version).collect();
            Ok(v1::ListVersionsResponse { path, versions })
        })
        .await
    }

    async fn restore(
        &self,
        request: Request<v1::RestoreRequest>,
    ) -> Result<Response<Self::RestoreStream>, Status> {
        let request = request.into_inner();
        let (from, output) = (request.from, text(request.output));
        let dry_run = request.scope.as_ref().is_some_and(|scope| scope.dry_run);
        let own = self.registry.own_places();
        Ok(self.job("restore", request.scope, move |scope, open| {
            let from = from.as_deref().map(commit).transpose()?.flatten();
            let output =
                output.map(|output| output_tree(&output, open, own, dry_run)).transpose()?;
            Ok(Job::Restore { scope, from, output })
        }))
    }
}

/// The commit that a person means; `None` is the head.
fn commit(typed: &str) -> Result<Option<u64>, RequestError> {
    if typed == "latest" {
        return Ok(None);
    }
    match typed.strip_prefix('#').unwrap_or(typed).parse() {
        Ok(seq @ 1..) => Ok(Some(seq)),
        Ok(0) | Err(_) => Err(RequestError::usage_with_hint(
            format!("{typed:?} names no commit"),
            "write it as #42, 42 or latest; `mirrorctl log` lists them",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_is_named_by_its_number_or_as_the_latest() {
        assert_eq!(commit("latest").unwrap(), None);
        assert_eq!(commit("#42").unwrap(), Some(42));
        assert_eq!(commit("42").unwrap(), Some(42));
    }

    #[test]
    fn anything_else_names_no_commit() {
        for typed in ["", "#", "0", "#0", "-1", "someday", "4 2"] {
            assert!(commit(typed).is_err(), "{typed:?}");
        }
    }
}
