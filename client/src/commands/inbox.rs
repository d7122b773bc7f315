//! `mirrorctl inbox`: what others did since this reader last looked.

use std::cell::RefCell;

use clap::Args;
use mirror_proto::v1::project_ref::By;
use mirror_proto::v1::{ConfirmInboxRequest, Inbox, ProjectRef, ReadInboxRequest};

use crate::connect::Daemon;
use crate::context::{Context, Reported};
use crate::each_project::{self, Heading, Scope};
use crate::failure::Failure;
use crate::output::{self, Reader, json, text};

#[derive(Debug, Args)]
pub(crate) struct InboxArgs {
    /// Whose place to read on from; every reader has one of its own
    #[arg(long, value_name = "NAME", default_value = "person")]
    reader: String,

    /// Leave everything unread
    #[arg(long)]
    peek: bool,

    /// Every project on this machine
    #[arg(long, conflicts_with = "project")]
    all: bool,
}

pub(crate) async fn run(args: &InboxArgs, context: &Context) -> Result<Reported, Failure> {
    let shown = RefCell::new(Vec::new());
    let ask = async |daemon: &Daemon, project| ask(args, daemon, project).await;
    let tell = |inbox: Inbox| {
        let told = context.output.tell(
            || json::inbox::report(&inbox),
            |paint| text::inbox::report(&inbox, args.all, paint),
        )?;
        if let Some(fault) = &inbox.fault {
            context.output.warn(args.all.then_some(&inbox.project), fault);
        }
        shown.borrow_mut().push(confirmation(inbox));
        Ok(Reported::done(told))
    };
    let shape = || json::inbox::report(&Inbox::default());
    let scope = Scope::of(args.all, Heading::Name);
    let reported = each_project::ask(context, scope, shape, ask, tell).await?;
    if let Some(result) = &reported.told {
        context.output.print_document(result)?;
    }
    // Only now: what nobody saw is told again.
    if !args.peek && output::reader() == Reader::Listening {
        confirm(context, shown.into_inner()).await?;
    }
    Ok(Reported { told: None, ..reported })
}

async fn ask(args: &InboxArgs, daemon: &Daemon, project: ProjectRef) -> Result<Inbox, Failure> {
    let (reader, peek) = (args.reader.clone(), args.peek);
    let request = ReadInboxRequest { project: Some(project), reader, peek };
    Ok(daemon.inbox().read_inbox(request).await?.into_inner())
}

fn confirmation(inbox: Inbox) -> ConfirmInboxRequest {
    let project = Some(ProjectRef { by: Some(By::Name(inbox.project)) });
    ConfirmInboxRequest { project, reader: inbox.reader, shown: inbox.shown }
}

async fn confirm(context: &Context, shown: Vec<ConfirmInboxRequest>) -> Result<(), Failure> {
    let daemon = context.daemon().await?;
    for request in shown {
        daemon.inbox().confirm_inbox(request).await?;
    }
    Ok(())
}
