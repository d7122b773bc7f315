//! What a hook prints: JSON on stdout for its host; the text alone on stderr where it is
//! to wake a session.

use std::io::{self, Write};

use mirror_proto::v1::{HookAnswer, HookEvent, HookKind};

use super::host::Host;
use crate::exit::Exit;
use crate::output::escape::harmless_json;
use crate::output::{json, text};

/// Where a host reads.
pub(super) struct Sink<'a> {
    pub(super) out: Box<dyn Write + 'a>,
    pub(super) err: Box<dyn Write + 'a>,
}

impl Sink<'static> {
    pub(super) fn of_process() -> Self {
        Self { out: Box::new(io::stdout()), err: Box::new(io::stderr()) }
    }
}

pub(super) fn print(
    event: &HookEvent,
    host: Host,
    answer: &HookAnswer,
    sink: &mut Sink<'_>,
) -> io::Result<Exit> {
    let is_wake = answer.news.iter().any(|news| news.is_wake);
    let context = text::agents::context(&answer.news, event);
    let hint = text::agents::hint(&answer.news);
    let watch_paths = if host.watches_files() { answer.watch_paths.as_slice() } else { &[] };
    let context_here = Some(context.as_str()).filter(|_| !is_wake);
    let document = json::agents::hook(name_of(event.kind()), context_here, &hint, watch_paths);
    if let Some(document) = document {
        sink.out.write_all(harmless_json(&format!("{document}\n")).as_bytes())?;
        sink.out.flush()?;
    }
    if is_wake {
        sink.err.write_all(format!("{context}\n").as_bytes())?;
        sink.err.flush()?;
        return Ok(Exit::Wake);
    }
    Ok(Exit::Done)
}

/// As hosts call it.
fn name_of(kind: HookKind) -> &'static str {
    match kind {
        HookKind::SessionStart | HookKind::Compaction | HookKind::Unspecified => "SessionStart",
        HookKind::UserPromptSubmit => "UserPromptSubmit",
        HookKind::PreToolUse => "PreToolUse",
        HookKind::PostToolUse => "PostToolUse",
        HookKind::PostToolBatch => "PostToolBatch",
        HookKind::Stop => "Stop",
        HookKind::SessionEnd => "SessionEnd",
        HookKind::CwdChanged => "CwdChanged",
        HookKind::FileChanged => "FileChanged",
    }
}
