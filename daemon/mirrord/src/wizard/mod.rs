//! What a person is asked for who sets a project up, and whether an answer can
//! be used.
//!
//! Nothing is kept from one answer to the next, and nothing is made: a draft
//! comes with each answer and goes back with it taken in. What is asked about a
//! backend stands in the table of services.

mod answers;
mod draft;
mod questions;

pub(crate) use draft::{Answer, Draft, Verb};
pub(crate) use questions::{Asking, Stage};

use std::path::Path;

use crate::projects::Registry;
use questions::Others;

/// How an answer was taken, and what is asked for by then.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) draft: Draft,
    pub(crate) refusal: Option<String>,
    pub(crate) questions: Vec<Asking>,
    /// Those settings that the draft's kind of service doesn't leave out.
    pub(crate) settings: Vec<(String, String)>,
}

/// Takes an answer into a draft, if it can be used; both come from a person who
/// is in the folder `here`. May wait for a disk.
pub(crate) fn step(
    registry: &Registry,
    mut draft: Draft,
    answer: Option<&Answer>,
    here: &Path,
) -> Step {
    let home = &registry.folders.home;
    let others = Others::of(registry);
    draft.read_url(here);
    let taken = answer.map(|answer| answers::take(&mut draft, answer, &others, here, home));
    Step {
        refusal: taken.and_then(Result::err),
        questions: questions::of(&draft, here, home),
        settings: draft.settings_of_its_kind(),
        draft,
    }
}

#[cfg(test)]
mod tests;
