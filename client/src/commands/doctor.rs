//! `mirrorctl doctor`: what works here, and what to do where it does not.

use clap::Args;
use mirror_proto::v1::{ExamineRequest, FaultClass, Finding, FindingLevel};

use super::daemon::enable;
use crate::connect::Socket;
use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::install::{self, Places};
use crate::output::{json, text};
use crate::service::{Manager, manager};

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Look at this backend alone, by its name
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
}

pub(crate) async fn run(args: &DoctorArgs, context: &Context) -> Result<Reported, Failure> {
    let around = if args.backend.is_none() { around(context) } else { Vec::new() };
    match examine(args, context).await {
        Ok(mut findings) => {
            findings.extend(around);
            report(context, &findings, exit(&findings))
        }
        // That there is no daemon is a finding like any other.
        Err(failure) if failure.exit == Exit::NoDaemon => {
            let findings = [vec![without_daemon(failure)], around].concat();
            report(context, &findings, Exit::NoDaemon)
        }
        Err(failure) => Err(failure),
    }
}

/// What the daemon does not know of: who starts it, and the agents that it tells.
fn around(context: &Context) -> Vec<Finding> {
    let Socket::Usual(folders) = &context.socket else { return Vec::new() };
    let mut findings: Vec<Finding> = service(context).into_iter().collect();
    findings.extend(install::findings(&Places::of_process(&folders.home)));
    findings
}

/// Nothing is missing where no manager could start it.
fn service(context: &Context) -> Option<Finding> {
    let service = enable::service(context).ok()?;
    let is_missing = !service.is_enabled() && manager() != Manager::Missing;
    is_missing.then(|| Finding {
        level: FindingLevel::Warn.into(),
        what: "it does not start with your login: until some command starts it, nothing is sent \
               and nobody is told"
            .to_owned(),
        r#where: "daemon".to_owned(),
        fix: Some("`mirrorctl install --only service`".to_owned()),
        ..Finding::default()
    })
}

async fn examine(args: &DoctorArgs, context: &Context) -> Result<Vec<Finding>, Failure> {
    let daemon = context.daemon().await?;
    let project = context.project_here(&daemon).await?;
    let request = ExamineRequest {
        project,
        backend: args.backend.clone(),
        client_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
    };
    Ok(daemon.doctor().examine(request).await?.into_inner().findings)
}

/// Prints findings, whatever they say; `auth` says the same.
pub(super) fn report(
    context: &Context,
    findings: &[Finding],
    exit: Exit,
) -> Result<Reported, Failure> {
    let told = context.output.tell(
        || json::findings::report(findings),
        |paint| text::findings::report(findings, paint),
    )?;
    Ok(Reported { exit, told })
}

/// Warnings are no failures, and refused access has an exit code of its own.
pub(super) fn exit(findings: &[Finding]) -> Exit {
    let failed = findings.iter().filter(|found| found.level() == FindingLevel::Fail);
    failed
        .map(|found| match found.class() {
            FaultClass::Auth => Exit::AccessNeeded,
            _ => Exit::Failed,
        })
        .collect()
}

fn without_daemon(failure: Failure) -> Finding {
    Finding {
        level: FindingLevel::Fail.into(),
        class: Some(failure.fault.class),
        what: failure.fault.message,
        r#where: "daemon".to_owned(),
        fix: failure.fault.hint,
        about: None,
    }
}
