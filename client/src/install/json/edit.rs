//! Puts one value in, or takes one out. Each gives a whole text, to be parsed anew.

use std::ops::Range;

use super::style::{Style, indent_before, indent_of_line};
use super::{Document, Kind, Node, Step};

/// Puts a value, as `source` has it, at the end of the object or array that the steps
/// lead to: under this key in an object.
pub(in crate::install) fn insert(
    document: &Document,
    steps: &[Step<'_>],
    key: Option<&str>,
    (source, value): (&Document, &Node),
) -> Document {
    let Some(container) = document.find(steps) else { return document.clone() };
    let text = document.text();
    let style = Style::of(document);
    let render = |style: &Style, indent: &str| match key {
        Some(key) => style.member(key, source, value, indent),
        None => style.value(source, value, indent),
    };
    let parts = parts(container);
    let (range, new) = match parts.last() {
        None => {
            let own = indent_of_line(text, container.span.start);
            let inner = style.deeper(own);
            let range = container.span.start + 1..container.span.end - 1;
            match style.is_compact() {
                true => (range, render(&style, "")),
                false => {
                    let new = render(&style, &inner);
                    (range, format!("{}{new}{}", style.line(&inner), style.line(own)))
                }
            }
        }
        Some(last) => {
            let new = match indent_before(text, last.start) {
                Some(indent) => format!(",{}{}", style.line(indent), render(&style, indent)),
                None => {
                    let style = style.on_one_line();
                    format!("{}{}", style.comma(), render(&style, ""))
                }
            };
            (last.end..last.end, new)
        }
    };
    replaced(text, range, &new)
}

/// Takes out what the steps lead to; a document without it stays as it is.
pub(in crate::install) fn remove(document: &Document, steps: &[Step<'_>]) -> Document {
    let Some((last, above)) = steps.split_last() else { return document.clone() };
    let Some(container) = document.find(above) else { return document.clone() };
    let index = match (&container.kind, last) {
        (Kind::Object(members), Step::Key(key)) => {
            members.iter().rposition(|member| member.key == *key)
        }
        (Kind::Array(items), Step::At(index)) => (*index < items.len()).then_some(*index),
        _ => None,
    };
    let Some(index) = index else { return document.clone() };
    let parts = parts(container);
    let range = match (index.checked_sub(1), parts.get(index + 1)) {
        // With the comma before it, so that what follows stays where it is.
        (Some(before), _) => parts[before].end..parts[index].end,
        (None, Some(next)) => parts[index].start..next.start,
        (None, None) => container.span.start + 1..container.span.end - 1,
    };
    replaced(document.text(), range, "")
}

/// Where each member or item stands, its key included.
fn parts(container: &Node) -> Vec<Range<usize>> {
    let members = container.members().iter().map(|one| one.start..one.value.span.end);
    members.chain(container.items().iter().map(|item| item.span.clone())).collect()
}

fn replaced(text: &str, range: Range<usize>, new: &str) -> Document {
    let whole = [&text[..range.start], new, &text[range.end..]].concat();
    let start = whole.len() - whole.trim_start_matches(super::BYTE_ORDER_MARK).len();
    Document { root: super::scan::value(&whole, start), text: whole }
}
