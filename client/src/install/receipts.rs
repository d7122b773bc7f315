//! What was installed, so that it can be taken back: each file as it was, and as we
//! left it, in the data folder.
//!
//! Losing this costs nothing but the byte-for-byte way back: our own entries are then
//! found by what they say.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::file;
use crate::failure::Failure;

const FOLDER: &str = "installed";
const LIST: &str = "installed.json";

#[derive(Clone, Debug)]
pub(super) struct Receipt {
    /// Which part of the installation it is of.
    pub(super) key: String,
    pub(super) file: PathBuf,
    /// The copy of the file as it was; `None` where there was none.
    pub(super) before: Option<PathBuf>,
    /// The copy as we left it.
    after: PathBuf,
    /// Folders that were made for it, the innermost first.
    pub(super) folders: Vec<PathBuf>,
}

impl Receipt {
    pub(super) fn text_before(&self) -> Result<Option<String>, Failure> {
        self.before.as_deref().map_or(Ok(None), file::read)
    }

    pub(super) fn text_after(&self) -> Result<Option<String>, Failure> {
        file::read(&self.after)
    }
}

#[derive(Debug)]
pub(super) struct Receipts {
    folder: PathBuf,
    all: Vec<Receipt>,
}

impl Receipts {
    pub(super) fn open(data: &Path) -> Result<Self, Failure> {
        let folder = data.join(FOLDER);
        let list = folder.join(LIST);
        let Some(text) = file::read(&list)? else { return Ok(Self { folder, all: Vec::new() }) };
        let all = read(&folder, &text).ok_or_else(|| {
            file::refused(
                &list,
                "is damaged",
                "move it away; entries of ours are then found by what they say",
            )
        })?;
        Ok(Self { folder, all })
    }

    pub(super) fn all(&self) -> &[Receipt] {
        &self.all
    }

    pub(super) fn find(&self, key: &str, file: &Path) -> Option<&Receipt> {
        self.all.iter().find(|receipt| receipt.key == key && receipt.file == file)
    }

    /// Keeps both texts of a file; called before it is written, so that a crash leaves
    /// a receipt too many and never one too few. Gives the copy of the old text.
    pub(super) fn keep(
        &mut self,
        (key, file): (&str, &Path),
        (before, after): (Option<&str>, &str),
    ) -> Result<Option<PathBuf>, Failure> {
        let folders = self.find(key, file).map(|receipt| receipt.folders.clone());
        let old = self.find(key, file).cloned();
        make_private(&self.folder)?;
        let number =
            (1..u32::MAX).find(|number| !self.copy(*number, "after").exists()).unwrap_or(0);
        let copies = (self.copy(number, "before"), self.copy(number, "after"));
        if let Some(before) = before {
            file::write(&copies.0, before, true)?;
        }
        file::write(&copies.1, after, true)?;
        let receipt = Receipt {
            key: key.to_owned(),
            file: file.to_owned(),
            before: before.map(|_| copies.0),
            after: copies.1,
            folders: folders.unwrap_or_default(),
        };
        let kept = receipt.before.clone();
        self.all.retain(|other| other.key != key || other.file != file);
        self.all.push(receipt);
        self.store()?;
        old.map_or(Ok(()), |old| forget_copies(&old))?;
        Ok(kept)
    }

    pub(super) fn note_folders(
        &mut self,
        key: &str,
        file: &Path,
        made: Vec<PathBuf>,
    ) -> Result<(), Failure> {
        if made.is_empty() {
            return Ok(());
        }
        let receipt = self.all.iter_mut().find(|one| one.key == key && one.file == file);
        if let Some(receipt) = receipt {
            receipt.folders = made;
        }
        self.store()
    }

    pub(super) fn forget(&mut self, key: &str, file: &Path) -> Result<(), Failure> {
        let Some(receipt) = self.find(key, file).cloned() else { return Ok(()) };
        self.all.retain(|other| other.key != key || other.file != file);
        forget_copies(&receipt)?;
        if self.all.is_empty() {
            return file::remove(&self.folder.join(LIST), std::slice::from_ref(&self.folder));
        }
        self.store()
    }

    fn copy(&self, number: u32, kind: &str) -> PathBuf {
        self.folder.join(format!("{number}.{kind}"))
    }

    fn store(&self) -> Result<(), Failure> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let one = |receipt: &Receipt| {
            json!({
                "part": receipt.key,
                "file": text(&receipt.file),
                "before": receipt.before.as_deref().map(text),
                "after": text(&receipt.after),
                "folders": receipt.folders.iter().map(|folder| text(folder)).collect::<Vec<_>>(),
            })
        };
        let all: Vec<Value> = self.all.iter().map(one).collect();
        let text = format!("{:#}\n", json!({"version": 1, "files": all}));
        file::write(&self.folder.join(LIST), &text, true).map(|_| ())
    }
}

fn forget_copies(receipt: &Receipt) -> Result<(), Failure> {
    let copies = receipt.before.iter().chain([&receipt.after]);
    copies.into_iter().try_for_each(|copy| file::remove(copy, &[]))
}

/// Closed to others, as the daemon would have it.
fn make_private(folder: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| file::unusable(folder, &error))
}

/// Copies are taken from our own folder alone, whatever the list says.
fn read(folder: &Path, text: &str) -> Option<Vec<Receipt>> {
    let list: Value = serde_json::from_str(text).ok()?;
    let copy = |value: &Value| Some(folder.join(Path::new(value.as_str()?).file_name()?));
    let one = |value: &Value| {
        let folders = value["folders"].as_array()?.iter();
        Some(Receipt {
            key: value["part"].as_str()?.to_owned(),
            file: value["file"].as_str()?.into(),
            before: copy(&value["before"]),
            after: copy(&value["after"])?,
            folders: folders
                .map(|folder| folder.as_str().map(PathBuf::from))
                .collect::<Option<_>>()?,
        })
    };
    list["files"].as_array()?.iter().map(one).collect()
}
