//! `HistoryService`: reads a project's log.

use mirror_core::Timestamp;
use mirror_engine::LogQuery;
use mirror_proto::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::error::RequestError;
use crate::server::convert::history::commit_summary;
use crate::server::host::{Host, Streamed};

const USUAL_LIMIT: u32 = 50;

/// No answer grows beyond what a message may hold.
const LARGEST_LIMIT: u32 = 1_000;

#[tonic::async_trait]
impl v1::history_service_server::HistoryService for Host {
    type FollowCommitsStream = Streamed<v1::CommitSummary>;

    async fn list_commits(
        &self,
        request: Request<v1::ListCommitsRequest>,
    ) -> Result<Response<v1::ListCommitsResponse>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        self.answer("log", async move {
            let asked = host.asked(request.project.clone()).await?;
            let path = match request.path.clone() {
                Some(typed) => asked.names(request.folder.clone(), vec![typed]).await?.pop(),
                None => None,
            };
            let query = query(request, path)?;
            let page = asked.project().log(query).await?;
            Ok(v1::ListCommitsResponse {
                commits: page.commits.iter().map(commit_summary).collect(),
                next_before: page.next_before,
            })
        })
        .await
    }

    async fn follow_commits(
        &self,
        request: Request<v1::FollowCommitsRequest>,
    ) -> Result<Response<Self::FollowCommitsStream>, Status> {
        let request = request.into_inner();
        let host = self.clone();
        let started = self.answer("log --follow", async move {
            let open = host.project(request.project).await?;
            let after = Some(request.after).filter(|after| *after > 0);
            Ok(open.project.follow(after)?)
        });
        let mut commits = started.await?.into_inner();
        let (events, unread) = mpsc::channel(64);
        let mut stopping = self.registry.stopping();
        tokio::spawn(async move {
            loop {
                let commit = tokio::select! {
                    commit = commits.recv() => commit,
                    () = events.closed() => None,
                    _ = stopping.wait_for(|stopping| *stopping) => None,
                };
                let Some(commit) = commit else { break };
                if events.send(Ok(commit_summary(&commit))).await.is_err() {
                    break;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(unread)))
    }
}

fn query(request: v1::ListCommitsRequest, path: Option<String>) -> Result<LogQuery, RequestError> {
    let limit = match request.limit {
        0 => USUAL_LIMIT,
        limit => limit.min(LARGEST_LIMIT),
    };
    Ok(LogQuery {
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        before: Some(request.before).filter(|before| *before > 0),
        path,
        user: request.user,
        since: request.since.as_deref().map(time).transpose()?,
        until: request.until.as_deref().map(time).transpose()?,
    })
}

pub(in crate::server) fn time(text: &str) -> Result<Timestamp, RequestError> {
    text.parse().map_err(|_| {
        let what = format!("{text:?} is not a time");
        RequestError::usage_with_hint(what, "write it as 2026-04-15T10:30:00Z")
    })
}
