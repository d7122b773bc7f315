//! Writing the head's files into a folder that is not the project.

use std::sync::Arc;

use mirror_core::{Entry, RelPath};

use crate::api::{EngineResult, FileAction, FileFault, FileReport, Progress, Scope};
use crate::data::stash::Stash;
use crate::error::EngineError;
use crate::outside::tree::TEMP_PREFIX;
use crate::outside::{Expected, Manner, Put, Tree, TreeError};
use crate::packs::{Content, Wanted};
use crate::project::worker::Worker;
use crate::project::worker::faults::fault;
use crate::project::worker::reporter::Reporter;

impl Worker {
    /// Never replaces a file there that differs: it is named instead.
    pub(crate) async fn export(
        &mut self,
        scope: &Scope,
        output: &Arc<dyn Tree>,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        self.catch_up().await?;
        let selection = self.selection_of(&scope.names).await;
        let manifest = self.log.history().manifest();
        selection.check(manifest.keys()).map_err(|error| EngineError::UnknownPaths(error.0))?;
        let chosen: Vec<(RelPath, Entry)> = manifest
            .iter()
            .filter(|(path, _)| selection.matches(path))
            .map(|(path, placed)| (path.clone(), placed.entry.clone()))
            .collect();
        self.export_all(chosen, output, FileAction::Fetched, reporter).await
    }

    /// Writes these files out, and says of each that `action` was done.
    pub(crate) async fn export_all(
        &mut self,
        chosen: Vec<(RelPath, Entry)>,
        output: &Arc<dyn Tree>,
        action: FileAction,
        reporter: &mut Reporter,
    ) -> EngineResult<()> {
        let mut progress = Progress {
            step: "write",
            total_files: chosen.len() as u64,
            total_bytes: chosen.iter().map(|(_, entry)| entry.size).sum(),
            ..Progress::default()
        };
        for (path, entry) in chosen {
            self.refuse_when_cancelled()?;
            progress.done_files += 1;
            progress.done_bytes += entry.size;
            let report = FileReport { path: path.clone(), action, from: None };
            if !reporter.dry_run && !self.export_file(&path, &entry, output, reporter).await? {
                continue;
            }
            reporter.file(report);
            reporter.progress(&progress);
        }
        Ok(())
    }

    /// `false` when the file could not be written; it is named then.
    async fn export_file(
        &mut self,
        path: &RelPath,
        entry: &Entry,
        output: &Arc<dyn Tree>,
        reporter: &mut Reporter,
    ) -> EngineResult<bool> {
        let content = match self.fetch_at_newest_head(&Wanted::of(path, entry)).await {
            Ok(content) => content,
            Err(error) if error.ends_the_job() => return Err(error),
            Err(error) => {
                reporter.fault(fault(path, &error));
                return Ok(false);
            }
        };
        Ok(self.export_content(path, manner_of(entry), content, output, reporter).await)
    }

    /// The same, of a content that is at hand.
    pub(crate) async fn export_content(
        &self,
        path: &RelPath,
        manner: Manner,
        content: Content,
        output: &Arc<dyn Tree>,
        reporter: &mut Reporter,
    ) -> bool {
        let (written, stash) = self.write_out(path, manner, content, output).await;
        let why = format!("{path} was written where it was to be put out");
        for id in stash.ids() {
            reporter.stashed_for(path, *id, self.now(), &why);
        }
        let failed = match written {
            Ok(Put::Done(_)) => return true,
            Ok(Put::Changed) => FileFault {
                path: path.as_str().to_owned(),
                class: mirror_storage::FaultClass::Rejected,
                message: format!("{path} is there already"),
                hint: Some("choose an empty folder".to_owned()),
            },
            Err(error) => fault(path, &error.into()),
        };
        reporter.fault(failed);
        false
    }

    async fn write_out(
        &self,
        path: &RelPath,
        manner: Manner,
        content: Content,
        output: &Arc<dyn Tree>,
    ) -> (Result<Put, TreeError>, Stash) {
        let temp_name = format!("{TEMP_PREFIX}{}", self.parts.outside.ulid());
        let (tree, mut stash) = (output.clone(), Stash::of(path, &self.parts));
        let path = path.clone();
        self.parts
            .outside
            .offload(move || {
                let failed = |cause| TreeError::Failed { path: path.clone(), cause };
                let mut write = || {
                    let mut source = content.open().map_err(failed)?;
                    let staged = tree.stage(&path, manner, &temp_name, source.as_mut())?;
                    tree.put(&staged, Expected::Absent, &mut |reader| stash.keep(reader))
                };
                let written = write();
                (written, stash)
            })
            .await
    }
}

/// A file that is written out is as it was committed, where that may be.
pub(crate) fn manner_of(entry: &Entry) -> Manner {
    let Entry { kind, exec, private, mtime, .. } = *entry;
    Manner { kind, exec, private, modified: mtime }
}
