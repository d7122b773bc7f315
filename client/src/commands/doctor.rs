//! `mirrorctl doctor`: what works here, and what to do where it does not.

use clap::Args;
use mirror_proto::v1::{ExamineRequest, FaultClass, Finding, FindingLevel};

use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{json, text};

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Look at this backend alone, by its name
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
}

pub(crate) async fn run(args: &DoctorArgs, context: &Context) -> Result<Reported, Failure> {
    match examine(args, context).await {
        Ok(findings) => report(context, &findings, exit(&findings)),
        // That there is no daemon is a finding like any other.
        Err(failure) if failure.exit == Exit::NoDaemon => {
            report(context, &[without_daemon(failure)], Exit::NoDaemon)
        }
        Err(failure) => Err(failure),
    }
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
