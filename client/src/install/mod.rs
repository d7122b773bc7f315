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
mod misfit;
mod parts;
mod places;
mod receipts;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::failure::Failure;
use content::Content;
use misfit::Misfit;
use receipts::{Receipt, Receipts};

pub(crate) use check::findings;
pub(crate) use diff::unified;
pub(crate) use parts::{How, Offer, Part, offers, offers_of_shells};
pub(crate) use places::Places;

/// How often a change is worked out before the program that keeps writing the file wins.
const TRIES: usize = 5;

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
    /// What comes and goes of ours. Nothing else of the file is shown, as there may be
    /// secrets in it.
    pub(crate) fn diff(&self, change: &Change) -> String {
        let ours = |text: &Option<String>| self.content.alone(text.as_deref().unwrap_or_default());
        unified(&ours(&change.before), &ours(&change.after), 0)
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
    note: Note,
}

/// What to keep of a change.
#[derive(Clone, Debug)]
enum Note {
    /// The text before the first of these parts, and the one that is written.
    Texts { parts: Vec<String>, before: Option<String> },
    /// That these parts are in the file, if any; texts that were kept stay.
    Parts(Vec<String>),
}

impl Change {
    pub(crate) fn is_none(&self) -> bool {
        self.before == self.after
    }
}

/// A change that was carried out.
#[derive(Debug)]
struct Carried {
    /// The copy that was kept of the old text.
    kept: Option<PathBuf>,
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
        let is_of = |(part, put): (&str, &Path), entry: &Entry| {
            entry.key == part && file::real(&entry.named).is_ok_and(|file| file == put)
        };
        let entries = || offered.iter().filter_map(Offer::entry);
        let unknown = |put: &(&str, &Path)| !entries().any(|entry| is_of(*put, entry));
        let as_now = |(part, file): (&str, &Path)| {
            let all = offered.iter().chain(like).filter_map(|offer| Some((offer, offer.entry()?)));
            let (offer, entry) = all.into_iter().find(|(_, entry)| entry.key == part)?;
            Some(offer.of(&Entry { named: file.to_owned(), ..entry.clone() }))
        };
        self.receipts.parts().filter(unknown).filter_map(as_now).collect()
    }

    /// Whether that part is known to have been put in there.
    pub(crate) fn knows(&self, entry: &Entry) -> bool {
        match file::real(&entry.named) {
            Ok(file) => self.receipts.find(&file).is_some_and(|receipt| receipt.has(&entry.key)),
            Err(_) => self.receipts.parts().any(|(part, _)| part == entry.key),
        }
    }

    pub(crate) fn change(&self, entry: &Entry, way: Way) -> Result<Change, Failure> {
        let file = file::real(&entry.named)?;
        let before = file::read_own(&file)?;
        // What is noted of a file that is gone says nothing of the next one there.
        let receipt = self.receipts.find(&file).filter(|_| before.is_some());
        let others = receipt.map(|receipt| receipt.parts_but(&entry.key)).unwrap_or_default();
        let way_back = receipt.and_then(|receipt| receipt.way_back(before.as_deref()));
        let is_touched = receipt.is_some() && way_back.is_none();
        let left = match (&way_back, &before) {
            (Some(earlier), _) if others.is_empty() => earlier.text.clone(),
            (_, Some(text)) => without(entry, &file, text, receipt)?,
            (_, None) => None,
        };
        let after = match way {
            Way::In => {
                let made = entry.content.put_into(before.as_deref().unwrap_or_default());
                Some(made.map_err(|why| misfit(&file, &why))?)
            }
            Way::Out => left.clone(),
        };
        let is_whole = matches!(entry.content, Content::Whole(_));
        let was_changed = way == Way::Out && is_whole && is_touched && after.is_some();
        let is_noted = receipt.is_some_and(|receipt| receipt.has(&entry.key));
        let added = (way == Way::In).then(|| entry.key.clone());
        let is_alone = others.is_empty();
        let parts: Vec<_> = others.into_iter().chain(added).collect();
        let note = match way_back {
            _ if is_alone && way == Way::In => Note::Texts { parts, before: left },
            Some(earlier) if !is_alone && (is_noted || way == Way::In) => {
                Note::Texts { parts, before: earlier.text }
            }
            Some(_) | None => Note::Parts(parts),
        };
        Ok(Change { file, before, after, was_changed, note })
    }

    /// Gives what was done, and the copy that was kept of the old text. The change is
    /// worked out anew where another program writes the file at that moment.
    pub(crate) fn carry_out(
        &mut self,
        entry: &Entry,
        way: Way,
    ) -> Result<(Change, Option<PathBuf>), Failure> {
        for _ in 0..TRIES {
            let change = self.change(entry, way)?;
            if let Some(carried) = self.attempt(entry, way, &change)? {
                return Ok((change, carried.kept));
            }
        }
        let hint = "run this again once that program is done";
        Err(file::refused(&entry.named, "is being written by another program", hint))
    }

    /// `None` where the file is not as it was when the change was worked out; it stays.
    fn attempt(
        &mut self,
        entry: &Entry,
        way: Way,
        change: &Change,
    ) -> Result<Option<Carried>, Failure> {
        let file = change.file.as_path();
        if change.is_none() {
            if way == Way::Out && !change.was_changed {
                self.note(change)?;
            }
            return Ok(Some(Carried { kept: None }));
        }
        let receipt = self.receipts.find(file).cloned();
        if way == Way::Out {
            let folders = receipt.map(|receipt| receipt.folders).unwrap_or_default();
            let is_done = match &change.after {
                Some(after) => file::put(file, change.before.as_deref(), after, entry.is_private)?,
                None => file::take(file, change.before.as_deref(), &folders)?.then(Vec::new),
            };
            if is_done.is_some() {
                self.note(change)?;
            }
            return Ok(is_done.map(|_| Carried { kept: None }));
        }
        let kept = self.note(change)?;
        let after = change.after.as_deref().unwrap_or_default();
        let made = file::put(file, change.before.as_deref(), after, entry.is_private)?;
        match made {
            Some(ref made) => self.receipts.note_folders(file, made.clone())?,
            // Nothing is known yet of the text that stands there now.
            None if receipt.is_none() => self.receipts.note_parts(file, Vec::new())?,
            None => {}
        }
        Ok(made.map(|_| Carried { kept }))
    }

    fn note(&mut self, change: &Change) -> Result<Option<PathBuf>, Failure> {
        let file = change.file.as_path();
        match (&change.note, &change.after) {
            (Note::Texts { parts, before }, Some(after)) => {
                self.receipts.keep(file, parts.clone(), (before.as_deref(), after))
            }
            (Note::Texts { parts, .. } | Note::Parts(parts), _) => {
                self.receipts.note_parts(file, parts.clone())?;
                Ok(None)
            }
        }
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
    let earlier = receipt.and_then(Receipt::earlier).and_then(|earlier| earlier.text);
    let content = &entry.content;
    let left = content.take_out_of(text, earlier.as_deref().unwrap_or_default());
    let left = left.map_err(|why| misfit(file, &why))?;
    let is_whole = matches!(content, Content::Whole(_));
    let is_made_by_us = is_whole || receipt.is_some_and(Receipt::is_of_new_file);
    Ok(Some(left).filter(|left| !is_made_by_us || !content.is_nothing(left)))
}

fn misfit(file: &Path, why: &Misfit) -> Failure {
    let hint = "put that right, or leave this part out with --only; nothing was changed";
    file::refused(file, &why.to_string(), hint)
}
