//! Making a project on a backend: commit 1, and `FORMAT` that repeats it (L1).

pub(crate) mod adopt;
mod later;
mod preview;

use bytes::Bytes;
use futures::StreamExt;
use mirror_core::commit::{Action, Commit, FORMAT, MAX_ENTRY_BYTES, ParseError, entry_name};
use mirror_core::{Digest, Ulid};
use mirror_storage::{Backend, Expect, Guarded, RemotePath, StorageError, is_system_path};

use self::adopt::adopt;
use self::later::refuse_what_needs_a_later_version;
pub use self::preview::preview;
use crate::api::{Author, EngineResult, Holding, Parts, SharedSettings, Standing};
use crate::error::EngineError;
use crate::log::{Log, OWN_FOLDER, needs_later, own_path, read_entry, share_as_settings_say};

/// How a person rebuilds the files without this program.
const RECOVER: &str = include_str!("../../../../../docs/recover.sh");

/// Looks at what stands at a backend's root, changing nothing.
pub async fn inspect(backend: &dyn Backend) -> EngineResult<Holding> {
    refuse_what_needs_a_later_version(backend).await?;
    if let Some(raw) = read_entry(backend, 1).await? {
        let first = Commit::parse(&raw.bytes).map_err(|error| match error {
            ParseError::NeedsLater(later) => needs_later("entry 1 of the log", &later),
            error => unusable(&error.to_string()),
        })?;
        let Commit { id, user, machine, machine_id, time, settings, .. } = first;
        return Ok(Holding::Project {
            project_id: raw.digest,
            first: id,
            settings: Box::new(settings.ok_or_else(|| unusable("it has no settings"))?),
            made_by: Author { user, machine, machine_id },
            made_at: time,
        });
    }
    let root = RemotePath::ROOT;
    let mut files = backend.list(&root);
    loop {
        match files.next().await {
            None => return Ok(Holding::Empty),
            // Somebody else's folder.
            Some(Err(StorageError::Forbidden { path })) if !path.is_root() => {}
            // Nobody's writing.
            Some(Ok(file)) if is_system_path(file.path.as_str()) => {}
            Some(found) => return found.map(|_| Holding::PlainFiles).map_err(Into::into),
        }
    }
}

/// Reads a project's log to its head, for whoever is to decide about it. What is
/// read stays in the data folder.
pub async fn standing(parts: &Parts) -> EngineResult<Standing> {
    let log = Log::open(parts).await?;
    Ok(Standing { head: log.head(), files: log.history().manifest().len() })
}

fn unusable(why: &str) -> EngineError {
    EngineError::Stopped {
        reason: format!(
            "what stands there is no project that can be used: entry 1 of its log: {why}"
        ),
        hint: Some("check the URL; nothing was changed".to_owned()),
    }
}

/// Creates commit 1, whose id is `first`, and `FORMAT`. Plain files that stand there
/// already and that the patterns cover become the first commit's files. Loses to
/// another machine that does the same: the answer is the project that stands there,
/// and whether it was made by this id.
pub async fn create(
    parts: &Parts,
    author: &Author,
    settings: SharedSettings,
    first: Ulid,
) -> EngineResult<(Digest, bool)> {
    let backend = parts.backend.as_ref();
    share_as_settings_say(backend, Some(&settings));
    let (digest, commit) = match read_entry(backend, 1).await? {
        Some(raw) => (raw.digest, Commit::parse(&raw.bytes).ok()),
        None => append_first(parts, first_commit(parts, author, settings, first).await?).await?,
    };
    let is_ours = commit.as_ref().is_some_and(|commit| commit.id == first);
    if let Some(settings) = commit.and_then(|commit| commit.settings) {
        write_format(backend, digest, &settings).await?;
    }
    Ok((digest, is_ours))
}

async fn append_first(parts: &Parts, commit: Commit) -> EngineResult<(Digest, Option<Commit>)> {
    let backend = parts.backend.as_ref();
    let bytes = Bytes::from(commit.to_bytes());
    let path = own_path(&entry_name(1));
    let written = backend.write(&path, bytes.clone().into(), Expect::Absent).await;
    // Whatever was answered: the entry itself tells (L5, L10).
    match (read_entry(backend, 1).await?, written) {
        (Some(raw), _) => Ok((raw.digest, Commit::parse(&raw.bytes).ok())),
        (None, Err(error)) => Err(error.into()),
        (None, Ok(Guarded::Refused)) => {
            Err(EngineError::Internal("entry 1 was refused, and yet it is absent".to_owned()))
        }
        (None, Ok(Guarded::Done(_))) => Err(unstored(backend)),
    }
}

fn unstored(backend: &dyn Backend) -> EngineError {
    let reason = format!(
        "{} can't hold a log: it says that the first entry was stored, and it isn't there",
        backend.label()
    );
    StorageError::Rejected { path: own_path("log"), reason }.into()
}

async fn first_commit(
    parts: &Parts,
    author: &Author,
    settings: SharedSettings,
    first: Ulid,
) -> EngineResult<Commit> {
    let (changes, packs) = adopt(parts, &settings).await?;
    let commit = Commit {
        format: FORMAT,
        seq: 1,
        id: first,
        parent: None,
        parent_ref: None,
        time: parts.outside.clock.now(),
        user: author.user.clone(),
        machine: author.machine.clone(),
        machine_id: author.machine_id,
        action: if changes.is_empty() { Action::Settings } else { Action::Import },
        tag: None,
        message: None,
        settings: Some(settings),
        consent: None,
        allow_secrets: None,
        checkpoint: None,
        changes,
        resolved: Vec::new(),
        packs,
        dropped_packs: Vec::new(),
        forgotten: Vec::new(),
        promote: None,
        moved: None,
    };
    match mirror_core::History::new().check(&commit) {
        Ok(()) if commit.to_bytes().len() as u64 > MAX_ENTRY_BYTES => {
            let count = commit.changes.len();
            Err(EngineError::Usage(format!(
                "the {count} files there are more than one commit can hold: narrow the patterns"
            )))
        }
        Ok(()) => Ok(commit),
        Err(void) => {
            Err(EngineError::Usage(format!("the project can't be made like this: {void}")))
        }
    }
}

/// `FORMAT` only repeats entry 1, for people.
async fn write_format(
    backend: &dyn Backend,
    project: Digest,
    settings: &SharedSettings,
) -> EngineResult<()> {
    let format = serde_json::json!({
        "format": FORMAT,
        "project": project,
        "name": settings.name,
        "patterns": settings.patterns,
        "exclude": settings.exclude,
        "about": "The history of this folder, kept by mirrord. Don't change anything below _mirror.",
        "recover_with": "in the folder that holds _mirror: jq -r '.recover[]' _mirror/FORMAT \
            > recover.sh; OUT=recovered sh -eu recover.sh (AT=42 for the files at commit 42)",
        "recover": RECOVER.lines().collect::<Vec<_>>(),
    });
    let mut bytes = serde_json::to_vec_pretty(&format).expect("keys are strings");
    bytes.push(b'\n');
    let path = own_path("FORMAT");
    debug_assert!(path.as_str().starts_with(OWN_FOLDER), "our own files stay in our own folder");
    backend.write(&path, Bytes::from(bytes).into(), Expect::Absent).await?;
    Ok(())
}
