//! What is put into files of a person's and of other programs, and taken back again.
//!
//! Each change is worked out first, so that it can be shown; it is worked out anew when
//! it is carried out, on the file as it is by then. A file that cannot be understood is
//! refused and left as it is.

mod check;
mod claude;
mod content;
mod diff;
mod file;
mod hooks;
mod json;
mod lines;
mod parts;
mod places;
mod receipts;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use content::Content;
use receipts::{Receipt, Receipts};

pub(crate) use check::findings;
pub(crate) use diff::unified;
pub(crate) use parts::{How, Offer, Part, offers, offers_of_shells};
pub(crate) use places::Places;

/// One file of one part.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The part, and whose file it is.
    key: String,
    /// The file by its usual name, which may be a link.
    named: PathBuf,
    content: Content,
    /// Only for its owner, where it has to be made.
    is_private: bool,
}

impl Entry {
    /// Whether what lies around ours is better not shown.
    pub(crate) fn may_hold_secrets(&self) -> bool {
        self.is_private
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    In,
    Out,
}

/// What becomes of a file. No text means no file.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) file: PathBuf,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    /// It is ours as a whole, and somebody has changed it since.
    pub(crate) was_changed: bool,
    original: Option<String>,
}

impl Change {
    pub(crate) fn is_none(&self) -> bool {
        self.before == self.after
    }
}

#[derive(Debug)]
pub(crate) struct Installation {
    receipts: Receipts,
}

impl Installation {
    pub(crate) fn open(data: &Path) -> Result<Self, Failure> {
        Ok(Self { receipts: Receipts::open(data)? })
    }

    /// Offers of what was installed, and is not among these: another shell's, or where
    /// variables moved a folder since. `like` has one of each kind.
    pub(crate) fn others(&self, offered: &[Offer], like: &[Offer]) -> Vec<Offer> {
        let is_of = |receipt: &Receipt, entry: &Entry| {
            entry.key == receipt.key
                && file::real(&entry.named).is_ok_and(|file| file == receipt.file)
        };
        let entries = || offered.iter().filter_map(Offer::entry);
        let unknown = |receipt: &&Receipt| !entries().any(|entry| is_of(receipt, entry));
        let as_now = |receipt: &Receipt| {
            let all = offered.iter().chain(like).filter_map(|offer| Some((offer, offer.entry()?)));
            let (offer, entry) = all.into_iter().find(|(_, entry)| entry.key == receipt.key)?;
            Some(offer.of(&Entry { named: receipt.file.clone(), ..entry.clone() }))
        };
        self.receipts.all().iter().filter(unknown).filter_map(as_now).collect()
    }

    pub(crate) fn change(&self, entry: &Entry, way: Way) -> Result<Change, Failure> {
        let file = file::real(&entry.named)?;
        let before = file::read(&file)?;
        let receipt = self.receipts.find(&entry.key, &file);
        let is_untouched = match receipt {
            Some(receipt) => before.is_some() && receipt.text_after()? == before,
            None => false,
        };
        let original = match (receipt, &before) {
            (Some(receipt), _) if is_untouched => receipt.text_before()?,
            (receipt, Some(before)) => without(entry, &file, before, receipt)?,
            (_, None) => None,
        };
        let after = match way {
            Way::In => {
                let made = entry.content.put_into(before.as_deref().unwrap_or_default());
                Some(made.map_err(|why| misfit(&file, &why))?)
            }
            Way::Out => original.clone(),
        };
        let is_whole = matches!(entry.content, Content::Whole(_));
        let was_changed =
            way == Way::Out && is_whole && receipt.is_some() && !is_untouched && after.is_some();
        Ok(Change { file, before, after, was_changed, original })
    }

    /// Gives what was done, and the copy that was kept of the old text.
    pub(crate) fn carry_out(
        &mut self,
        entry: &Entry,
        way: Way,
    ) -> Result<(Change, Option<PathBuf>), Failure> {
        let change = self.change(entry, way)?;
        let (key, file) = (entry.key.as_str(), change.file.as_path());
        if change.is_none() {
            if way == Way::Out && !change.was_changed {
                self.receipts.forget(key, file)?;
            }
            return Ok((change, None));
        }
        let mut kept = None;
        match (&change.after, way) {
            (Some(after), Way::In) => {
                kept = self.receipts.keep((key, file), (change.original.as_deref(), after))?;
                let made = file::write(file, after, entry.is_private)?;
                self.receipts.note_folders(key, file, made)?;
            }
            (Some(after), Way::Out) => {
                file::write(file, after, entry.is_private)?;
                self.receipts.forget(key, file)?;
            }
            (None, _) => {
                let folders = self.receipts.find(key, file).map(|receipt| receipt.folders.clone());
                file::remove(file, &folders.unwrap_or_default())?;
                self.receipts.forget(key, file)?;
            }
        }
        Ok((change, kept))
    }
}

/// The text of a file less what is ours; `None` where nothing is left of a file that
/// we made.
fn without(
    entry: &Entry,
    file: &Path,
    text: &str,
    receipt: Option<&Receipt>,
) -> Result<Option<String>, Failure> {
    let earlier = receipt.map(Receipt::text_before).transpose()?.flatten();
    let content = &entry.content;
    let left = content.take_out_of(text, earlier.as_deref().unwrap_or_default());
    let left = left.map_err(|why| misfit(file, &why))?;
    let is_made_by_us = match receipt {
        Some(receipt) => receipt.before.is_none(),
        None => matches!(content, Content::Whole(_)),
    };
    Ok(Some(left).filter(|left| !is_made_by_us || !content.is_nothing(left)))
}

fn misfit(file: &Path, why: &str) -> Failure {
    let what = match why.starts_with("is ") || why.starts_with('`') {
        true => why.to_owned(),
        false => format!("is no valid JSON: {why}"),
    };
    let what = if what.starts_with('`') { format!("can't be added to: {what}") } else { what };
    file::refused(
        file,
        &what,
        "put that right, or leave this part out with --only; nothing was changed",
    )
}
