//! One project, or with `--all` each of them in turn.

use futures::future::join_all;
use mirror_proto::v1::project_ref::By;
use mirror_proto::v1::{ListProjectsRequest, ProjectRef, ProjectSummary};
use serde_json::{Value, json};

use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::escape::escape;
use crate::output::json::fault;
use crate::output::paint::Paint;

/// What a command does for one project.
pub(crate) trait One: AsyncFn(&Daemon, ProjectRef) -> Result<Reported, Failure> {}

impl<T> One for T where T: AsyncFn(&Daemon, ProjectRef) -> Result<Reported, Failure> {}

/// Which projects a command is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    /// The one that `--project` or the current folder says.
    One,
    All(Heading),
    /// Besides, what is kept of projects that are configured no more.
    AllAndLeftOver(Heading),
}

/// What stands above the text of each of several projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heading {
    Name,
    /// The text says the name itself.
    Absent,
}

impl Scope {
    pub(crate) const fn of(all: bool, heading: Heading) -> Self {
        if all { Self::All(heading) } else { Self::One }
    }
}

/// Runs a command for the projects in scope. `shape` is any result of it: a
/// project that failed has the same keys, all of them `null`.
pub(crate) async fn run(
    context: &Context,
    scope: Scope,
    shape: fn() -> Value,
    one: impl One,
) -> Result<Reported, Failure> {
    let daemon = context.daemon().await?;
    let Some((heading, projects)) = several(&daemon, scope).await? else {
        return one(&daemon, context.project()?).await;
    };
    each(context, heading, &projects, shape, async |project| one(&daemon, by_name(project)).await)
        .await
}

/// The same for a command that only asks: all are asked at once, so that one which
/// has to wait for its server holds up no other.
pub(crate) async fn ask<T>(
    context: &Context,
    scope: Scope,
    shape: fn() -> Value,
    ask: impl AsyncFn(&Daemon, ProjectRef) -> Result<T, Failure>,
    tell: impl Fn(T) -> Result<Reported, Failure>,
) -> Result<Reported, Failure> {
    let daemon = context.daemon().await?;
    let Some((heading, projects)) = several(&daemon, scope).await? else {
        return tell(ask(&daemon, context.project()?).await?);
    };
    let answers = projects.iter().map(|project| ask(&daemon, by_name(project)));
    let mut answers = join_all(answers).await.into_iter();
    each(context, heading, &projects, shape, async |_| {
        tell(answers.next().expect("each was asked")?)
    })
    .await
}

/// All that are in scope, unless it is one.
async fn several(
    daemon: &Daemon,
    scope: Scope,
) -> Result<Option<(Heading, Vec<ProjectSummary>)>, Failure> {
    let (heading, with_left_over) = match scope {
        Scope::One => return Ok(None),
        Scope::All(heading) => (heading, false),
        Scope::AllAndLeftOver(heading) => (heading, true),
    };
    let listed = daemon.project().list_projects(ListProjectsRequest {}).await?.into_inner();
    let left = listed.left_over.into_iter().filter(|_| with_left_over);
    let left = left.map(|left| ProjectSummary { name: left.name, ..ProjectSummary::default() });
    Ok(Some((heading, listed.projects.into_iter().chain(left).collect())))
}

/// All projects of this machine, by name.
pub(crate) async fn all_of(daemon: &Daemon) -> Result<Vec<ProjectRef>, Failure> {
    let listed = daemon.project().list_projects(ListProjectsRequest {}).await?.into_inner();
    Ok(listed.projects.iter().map(by_name).collect())
}

fn by_name(project: &ProjectSummary) -> ProjectRef {
    ProjectRef { by: Some(By::Name(project.name.clone())) }
}

async fn each(
    context: &Context,
    heading: Heading,
    projects: &[ProjectSummary],
    shape: fn() -> Value,
    mut one: impl AsyncFnMut(&ProjectSummary) -> Result<Reported, Failure>,
) -> Result<Reported, Failure> {
    let mut exit = Exit::Done;
    let mut results = Vec::new();
    for summary in projects {
        let name = |paint: Paint| paint.bold(&escape(&summary.name)) + "\n";
        if heading == Heading::Name {
            context.output.say(name)?;
        }
        match one(summary).await {
            Ok(reported) => {
                exit = exit.or(reported.exit);
                results.extend(reported.told.map(without_failure));
                if reported.exit == Exit::Interrupted {
                    break;
                }
            }
            Err(failure) if ends_all(failure.exit) => return Err(failure),
            Err(failure) => {
                exit = exit.or(failure.exit);
                if !context.output.is_json() {
                    context.output.print_failure_of(&summary.name, &failure);
                }
                results.push(with_error(hollow(shape(), summary), fault(&failure.fault)));
            }
        }
    }
    Ok(Reported { exit, told: context.output.is_json().then(|| json!({"projects": results})) })
}

/// Without a daemon, or after Ctrl-C, no other project fares better.
fn ends_all(exit: Exit) -> bool {
    matches!(exit, Exit::NoDaemon | Exit::Interrupted)
}

/// Some results say by themselves what is wrong.
fn without_failure(result: Value) -> Value {
    match result.get("error") {
        Some(_) => result,
        None => with_error(result, Value::Null),
    }
}

fn with_error(mut result: Value, error: Value) -> Value {
    result["error"] = error;
    result
}

/// The shape of a result with nothing in it but the project's name and root.
fn hollow(mut shape: Value, project: &ProjectSummary) -> Value {
    for (key, value) in shape.as_object_mut().into_iter().flatten() {
        *value = match key.as_str() {
            "project" => project.name.as_str().into(),
            "root" => project.root.as_str().into(),
            _ => Value::Null,
        };
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_that_says_what_is_wrong_keeps_it() {
        let away = json!({"head": 3, "error": {"class": "transient"}});
        assert_eq!(without_failure(away.clone()), away);
        assert_eq!(without_failure(json!({"head": 3})), json!({"head": 3, "error": null}));
    }

    #[test]
    fn project_that_failed_keeps_the_shape_and_says_why() {
        let project = ProjectSummary {
            name: "notes".to_owned(),
            root: "/n".to_owned(),
            ..ProjectSummary::default()
        };
        let shape = json!({"project": "", "root": "", "head": 0, "files": []});
        assert_eq!(
            with_error(hollow(shape, &project), json!({"class": "stopped"})),
            json!({
                "project": "notes", "root": "/n", "head": null, "files": null,
                "error": {"class": "stopped"},
            })
        );
    }
}
