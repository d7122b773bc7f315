//! `mirrorctl daemon enable`, `disable`, `restart`: the daemon as a service.

use clap::Args;
use mirror_proto::folders::Folders;
use serde_json::{Value, json};

use crate::connect::{self, Daemon, Socket};
use crate::context::{Context, Reported};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::escape::escape;
use crate::paths;
use crate::service::{Change, Manager, Service, cron_line, manager};

#[derive(Debug, Args)]
pub(crate) struct EnableArgs {
    /// Show the file and where it goes, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Exits with 4 where the file is written and nothing on this system reads it.
pub(crate) async fn enable(args: &EnableArgs, context: &Context) -> Result<Reported, Failure> {
    let service = service(context)?;
    if args.dry_run {
        let told = context.output.tell(
            || json!({"file": service.file.to_string_lossy(), "text": service.text}),
            |_| format!("# {}\n{}", escape(&paths::shown(&service.file)), service.text),
        )?;
        return Ok(Reported::done(told));
    }
    let done = start(&service, context).await?;
    let told = context.output.confirm(|| enabled(&service, &done), |_| said(&service, &done))?;
    Ok(Reported { exit: done.exit(), told })
}

pub(crate) fn disable(context: &Context) -> Result<Reported, Failure> {
    let service = service(context)?;
    let change = end(&service)?;
    let told = context.output.confirm(
        || json!({"file": service.file.to_string_lossy(), "change": word(change)}),
        |_| ended(&service, change),
    )?;
    Ok(Reported::done(told))
}

/// Has the daemon run as a service, and says how that went.
pub(in crate::commands) async fn write(
    service: &Service,
    context: &Context,
) -> Result<(Exit, String), Failure> {
    let done = start(service, context).await?;
    Ok((done.exit(), said(service, &done)))
}

pub(in crate::commands) fn take_back(service: &Service) -> Result<String, Failure> {
    end(service).map(|change| ended(service, change))
}

/// How the service was found once it was written.
struct Enabled {
    change: Change,
    manager: Manager,
    daemon: Option<Daemon>,
    cron: Option<String>,
}

impl Enabled {
    fn exit(&self) -> Exit {
        if self.manager.leaves_it() { Exit::Partial } else { Exit::Done }
    }
}

async fn start(service: &Service, context: &Context) -> Result<Enabled, Failure> {
    let change = service.enable()?;
    let manager = service.taken_up();
    if manager == Manager::Answers && connect::running(&context.socket).await?.is_none() {
        connect::connect(&context.socket).await?;
    }
    let daemon = connect::running(&context.socket).await?;
    let cron = manager.leaves_it().then(cron_line).transpose()?;
    Ok(Enabled { change, manager, daemon, cron })
}

fn end(service: &Service) -> Result<Change, Failure> {
    let change = service.disable()?;
    if change == Change::Removed && manager() == Manager::Answers {
        service.reload();
    }
    Ok(change)
}

fn ended(service: &Service, change: Change) -> String {
    match change {
        Change::Removed => format!(
            "removed {}: mirrord no longer starts by itself\n\
             a daemon that runs goes on; `mirrorctl daemon stop` ends it\n",
            escape(&paths::shown(&service.file))
        ),
        Change::Written | Change::None => "mirrord does not start by itself\n".to_owned(),
    }
}

/// Ends the daemon and starts it anew, as a service where it is one.
pub(crate) async fn restart(context: &Context) -> Result<Reported, Failure> {
    folders(context)?;
    connect::stop(&context.socket).await?;
    let handshake = context.daemon().await?.handshake;
    let told = context.output.confirm(
        || json!({"done": true, "pid": handshake.pid}),
        |_| format!("mirrord {} is running, pid {}\n", handshake.version, handshake.pid),
    )?;
    Ok(Reported::done(told))
}

pub(in crate::commands) fn service(context: &Context) -> Result<Service, Failure> {
    Service::of(connect::program()?, folders(context)?)
}

pub(in crate::commands) fn folders(context: &Context) -> Result<&Folders, Failure> {
    match &context.socket {
        Socket::Usual(folders) => Ok(folders),
        Socket::Named(_) => Err(Failure::usage("--socket names a daemon that is there already")
            .with_hint("leave it out: this is about the daemon of this home")),
    }
}

fn enabled(service: &Service, done: &Enabled) -> Value {
    let daemon = done.daemon.as_ref();
    json!({
        "file": service.file.to_string_lossy(),
        "change": word(done.change),
        "manager": match done.manager {
            Manager::Answers => "answers",
            Manager::NotHere => "not_here",
            Manager::LooksElsewhere => "looks_elsewhere",
            Manager::Missing => "missing",
        },
        "pid": daemon.map(|daemon| daemon.handshake.pid),
        "is_service": daemon.is_some_and(|daemon| !daemon.handshake.started_on_demand),
        "advice": service.advice(),
        "cron": done.cron,
    })
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Written => "written",
        Change::Removed => "removed",
        Change::None => "none",
    }
}

fn said(service: &Service, done: &Enabled) -> String {
    let (daemon, manager) = (done.daemon.as_ref(), done.manager);
    let file = escape(&paths::shown(&service.file));
    let mut lines = vec![match done.change {
        Change::Written => format!("wrote {file}"),
        Change::Removed | Change::None => format!("{file} is as it should be"),
    }];
    match manager {
        Manager::Answers => lines.push("mirrord starts with your login".to_owned()),
        Manager::NotHere => lines.push(
            "systemd does not answer this login (as after su, or in cron); it takes the file up at \
             your next one"
                .to_owned(),
        ),
        Manager::LooksElsewhere => lines.push(
            "but systemd does not see it: it goes by another HOME or XDG_CONFIG_HOME than this \
             shell, or by another file of that name; `systemctl --user show -p UnitPath` says \
             where it looks"
                .to_owned(),
        ),
        Manager::Missing => lines.push(
            "but nothing on this system reads it: there is no systemd for users (as in a container)"
                .to_owned(),
        ),
    }
    match daemon.map(|daemon| &daemon.handshake) {
        Some(found) if found.started_on_demand && manager == Manager::Answers => {
            lines.push(format!(
                "the daemon that runs (pid {}) was started by a client; `mirrorctl daemon restart` \
                 hands over",
                found.pid
            ));
        }
        Some(found) => lines.push(format!("mirrord is running, pid {}", found.pid)),
        None => {}
    }
    lines.extend(service.advice().filter(|_| !manager.leaves_it()));
    if let Some(cron) = &done.cron {
        lines.push("with cron instead (`crontab -e`), a sync every five minutes:".to_owned());
        lines.push(format!("  {}", escape(cron)));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}
