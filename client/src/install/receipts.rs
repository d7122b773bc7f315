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

/// What we know of one file.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    pub(super) file: PathBuf,
    /// The parts of the installation that are in it.
    pub(super) parts: Vec<String>,
    before: Before,
    /// The copy as we left it.
    after: PathBuf,
    /// Folders that were made for it, the innermost first.
    pub(super) folders: Vec<PathBuf>,
}

/// The file before the first of our parts was put into it.
#[derive(Clone, Debug)]
enum Before {
    NoFile,
    Copy(PathBuf),
    /// There may have been one, and nobody knows what was in it.
    Lost,
}

/// How a file was; no text means that there was none.
#[derive(Debug)]
pub(super) struct Earlier {
    pub(super) text: Option<String>,
}

impl Receipt {
    /// `None` where that can't be read any more, which is not the same as no file.
    pub(super) fn earlier(&self) -> Option<Earlier> {
        let text = match &self.before {
            Before::NoFile => None,
            Before::Copy(copy) => Some(file::read_own(copy).ok().flatten()?),
            Before::Lost => return None,
        };
        Some(Earlier { text })
    }

    /// How a file was that nobody has touched since we left it.
    pub(super) fn way_back(&self, current: Option<&str>) -> Option<Earlier> {
        let after = file::read_own(&self.after).ok().flatten()?;
        if current == Some(&after) { self.earlier() } else { None }
    }

    pub(super) fn has(&self, part: &str) -> bool {
        self.parts.iter().any(|one| one == part)
    }

    pub(super) fn parts_but(&self, part: &str) -> Vec<String> {
        self.parts.iter().filter(|one| *one != part).cloned().collect()
    }

    pub(super) fn is_of_new_file(&self) -> bool {
        matches!(self.before, Before::NoFile)
    }

    fn copies(&self) -> impl Iterator<Item = &Path> {
        let before = match &self.before {
            Before::Copy(copy) => Some(copy.as_path()),
            Before::NoFile | Before::Lost => None,
        };
        before.into_iter().chain([self.after.as_path()])
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
        let Some(text) = file::read_own(&list)? else {
            return Ok(Self { folder, all: Vec::new() });
        };
        let all = read(&folder, &text).ok_or_else(|| {
            file::refused(
                &list,
                "is damaged",
                "move it away; entries of ours are then found by what they say",
            )
        })?;
        Ok(Self { folder, all })
    }

    /// Each part, and the file that it is in.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.all.iter().flat_map(|receipt| {
            let file = receipt.file.as_path();
            receipt.parts.iter().map(move |part| (part.as_str(), file))
        })
    }

    pub(super) fn find(&self, file: &Path) -> Option<&Receipt> {
        self.all.iter().find(|receipt| receipt.file == file)
    }

    /// Keeps both texts of a file; called before it is written, so that a crash leaves
    /// a receipt too many and never one too few. Gives the copy of the old text.
    pub(super) fn keep(
        &mut self,
        file: &Path,
        parts: Vec<String>,
        (before, after): (Option<&str>, &str),
    ) -> Result<Option<PathBuf>, Failure> {
        let old = self.find(file).cloned();
        make_private(&self.folder)?;
        let number =
            (1..u32::MAX).find(|number| !self.copy(*number, "after").exists()).unwrap_or(0);
        let copies = (self.copy(number, "before"), self.copy(number, "after"));
        if let Some(before) = before {
            file::write(&copies.0, before, true)?;
        }
        file::write(&copies.1, after, true)?;
        let kept = before.map(|_| copies.0);
        let receipt = Receipt {
            file: file.to_owned(),
            parts,
            before: kept.clone().map_or(Before::NoFile, Before::Copy),
            after: copies.1,
            folders: old.as_ref().map(|old| old.folders.clone()).unwrap_or_default(),
        };
        self.all.retain(|other| other.file != file);
        self.all.push(receipt);
        self.store()?;
        old.map_or(Ok(()), |old| forget_copies(&old))?;
        Ok(kept)
    }

    pub(super) fn note_folders(&mut self, file: &Path, made: Vec<PathBuf>) -> Result<(), Failure> {
        if made.is_empty() {
            return Ok(());
        }
        if let Some(receipt) = self.all.iter_mut().find(|one| one.file == file) {
            receipt.folders = made;
        }
        self.store()
    }

    /// Notes which parts are in a file now. Of one without any, nothing is kept.
    pub(super) fn note_parts(&mut self, file: &Path, parts: Vec<String>) -> Result<(), Failure> {
        let Some(receipt) = self.all.iter_mut().find(|one| one.file == file) else {
            return Ok(());
        };
        if !parts.is_empty() {
            receipt.parts = parts;
            return self.store();
        }
        let receipt = receipt.clone();
        self.all.retain(|other| other.file != file);
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
                "file": text(&receipt.file),
                "parts": receipt.parts,
                "before": match &receipt.before {
                    Before::NoFile => Value::Null,
                    Before::Copy(copy) => Value::from(text(copy)),
                    Before::Lost => Value::from(false),
                },
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
    receipt.copies().try_for_each(|copy| file::remove(copy, &[]))
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
    let before = |value: Option<&Value>| match value {
        Some(Value::Null) => Before::NoFile,
        other => other.and_then(copy).map_or(Before::Lost, Before::Copy),
    };
    let texts = |value: &Value| {
        let all = value.as_array()?.iter().map(|one| one.as_str().map(str::to_owned));
        all.collect::<Option<Vec<_>>>()
    };
    let one = |value: &Value| {
        Some(Receipt {
            file: value["file"].as_str()?.into(),
            parts: texts(&value["parts"])?,
            before: before(value.get("before")),
            after: copy(&value["after"])?,
            folders: texts(&value["folders"])?.into_iter().map(PathBuf::from).collect(),
        })
    };
    list["files"].as_array()?.iter().map(one).collect()
}
