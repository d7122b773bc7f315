//! How a text is laid out, so that what comes into it looks like the rest.

use super::{Document, Kind, Node};

/// What a text without any line of its own is indented by.
const USUAL_INDENT: &str = "  ";

#[derive(Clone, Debug)]
pub(super) struct Style {
    indent: String,
    newline: &'static str,
    /// All on one line.
    is_compact: bool,
    /// After a colon or a comma of a compact text.
    gap: &'static str,
}

impl Style {
    pub(super) fn of(document: &Document) -> Self {
        let (text, root) = (document.text(), document.root());
        let inside = &text[root.span.clone()];
        let first = root.members().first();
        let is_compact = !inside.contains('\n') && !root.is_empty();
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let indent = first.and_then(|first| indent_before(text, first.start));
        let indent = indent.filter(|indent| !indent.is_empty()).unwrap_or(USUAL_INDENT);
        let is_tight = first.is_some_and(|first| text[..first.value.span.start].ends_with(':'));
        let gap = if is_compact && is_tight { "" } else { " " };
        Self { indent: indent.to_owned(), newline, is_compact, gap }
    }

    pub(super) fn is_compact(&self) -> bool {
        self.is_compact
    }

    /// For what goes into a line that is there already.
    pub(super) fn on_one_line(&self) -> Self {
        Self { is_compact: true, ..self.clone() }
    }

    pub(super) fn deeper(&self, indent: &str) -> String {
        format!("{indent}{}", self.indent)
    }

    pub(super) fn line(&self, indent: &str) -> String {
        format!("{}{indent}", self.newline)
    }

    pub(super) fn comma(&self) -> String {
        format!(",{}", self.gap)
    }

    /// A key with its value, whose lines begin with this.
    pub(super) fn member(&self, key: &str, source: &Document, node: &Node, indent: &str) -> String {
        let key = serde_json::Value::from(key);
        format!("{key}:{}{}", self.gap, self.value(source, node, indent))
    }

    pub(super) fn value(&self, source: &Document, node: &Node, indent: &str) -> String {
        let inner = self.deeper(indent);
        match &node.kind {
            Kind::Plain => source.raw(node).to_owned(),
            Kind::Object(members) => {
                let all = members.iter();
                let all = all.map(|one| self.member(&one.key, source, &one.value, &inner));
                self.wrapped(["{", "}"], &all.collect::<Vec<_>>(), indent, self.is_compact)
            }
            Kind::Array(items) => {
                let is_short = items.iter().all(|item| matches!(item.kind, Kind::Plain));
                let all = items.iter().map(|item| self.value(source, item, &inner));
                self.wrapped(
                    ["[", "]"],
                    &all.collect::<Vec<_>>(),
                    indent,
                    self.is_compact || is_short,
                )
            }
        }
    }

    fn wrapped(
        &self,
        [open, close]: [&str; 2],
        all: &[String],
        indent: &str,
        is_line: bool,
    ) -> String {
        if all.is_empty() {
            return format!("{open}{close}");
        }
        if is_line {
            return format!("{open}{}{close}", all.join(&self.comma()));
        }
        let inner = self.line(&self.deeper(indent));
        let all = all.join(&format!(",{inner}"));
        format!("{open}{inner}{all}{}{close}", self.line(indent))
    }
}

/// The blanks that begin the line, where nothing else stands before this place.
pub(super) fn indent_before(text: &str, place: usize) -> Option<&str> {
    let line = &text[..place];
    let line = &line[line.rfind('\n')? + 1..];
    line.chars().all(|letter| matches!(letter, ' ' | '\t')).then_some(line)
}

/// The blanks that the line of this place begins with.
pub(super) fn indent_of_line(text: &str, place: usize) -> &str {
    let line = text[..place].rfind('\n').map_or(0, |end| end + 1);
    let line = &text[line..place];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}
