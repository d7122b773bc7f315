//! Texts as sequences of numbers, equal lines having equal numbers.
//!
//! A line ends with its line feed, so that line ends are kept byte for byte.

use std::collections::HashMap;

pub(super) type LineId = usize;

/// The different lines of a few texts. A line's number is the order in which it
/// was first seen.
#[derive(Default)]
pub(super) struct Lines<'t> {
    known: HashMap<&'t [u8], LineId>,
    lines: Vec<&'t [u8]>,
}

impl<'t> Lines<'t> {
    pub(super) fn split(&mut self, text: &'t [u8]) -> Vec<LineId> {
        text.split_inclusive(|byte| *byte == b'\n').map(|line| self.number(line)).collect()
    }

    pub(super) fn join(&self, text: &[LineId]) -> Vec<u8> {
        text.iter().flat_map(|id| self.lines[*id]).copied().collect()
    }

    fn number(&mut self, line: &'t [u8]) -> LineId {
        *self.known.entry(line).or_insert_with(|| {
            self.lines.push(line);
            self.lines.len() - 1
        })
    }
}
