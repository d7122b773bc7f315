//! Files at a version, each with an address: `mirrord://PROJECT/VERSION/PATH`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rmcp::model::{Resource, ResourceContents, ResourceTemplate};
use serde_json::Value;

use crate::calls::Call;

const SCHEME: &str = "mirrord://";
pub(crate) const TEMPLATE: &str = "mirrord://{project}/{version}/{+path}";

const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How many a page has.
pub(crate) const PAGE: usize = 200;

pub(crate) fn template() -> ResourceTemplate {
    ResourceTemplate::new(TEMPLATE, "file at a version")
        .with_title("A mirrored file at a version")
        .with_description("VERSION is 42 or latest, as log and history list them")
}

/// The call that reads a resource.
pub(crate) fn reads(uri: &str) -> Option<Call> {
    let mut parts = uri.strip_prefix(SCHEME)?.splitn(3, '/');
    let mut part = || decoded(parts.next()?);
    let (project, version, path) = (part()?, part()?, part()?);
    if [&project, &version, &path].iter().any(|part| part.is_empty()) {
        return None;
    }
    let call = Call::of(&[]).option("project", Some(project));
    let show = Call { words: [call.words, vec!["show".to_owned()]].concat(), stdin: None };
    Some(show.names(vec![format!("{path}@{version}")]))
}

/// What `show` answered, as the content of its resource.
pub(crate) fn content(uri: &str, shown: &Value) -> ResourceContents {
    let text = shown["text"].as_str().unwrap_or_default();
    match shown["encoding"].as_str() {
        Some("base64") => ResourceContents::blob(text, uri),
        _ => ResourceContents::text(text, uri).with_mime_type(kind(uri)),
    }
}

/// The files of a project's newest version, from a page on; the second number is where
/// the next page begins.
pub(crate) fn listed(status: &Value, start: usize) -> (Vec<Resource>, Option<usize>) {
    let project = status["project"].as_str().unwrap_or_default();
    let files = status["files"].as_array().map_or(&[][..], Vec::as_slice);
    let there = files.iter().filter(|file| !file["remote"].is_null());
    let paths: Vec<&str> = there.filter_map(|file| file["path"].as_str()).collect();
    let page = paths.iter().skip(start).take(PAGE);
    let one = |path: &&str| {
        let uri = format!("{SCHEME}{}/latest/{}", encoded(project), encoded_path(path));
        let kind = kind(&uri);
        Resource::new(uri, *path).with_mime_type(kind)
    };
    let next = start + PAGE;
    (page.map(one).collect(), (next < paths.len()).then_some(next))
}

fn kind(uri: &str) -> &'static str {
    match uri.rsplit('.').next() {
        Some("md") => "text/markdown",
        _ => "text/plain",
    }
}

fn decoded(part: &str) -> Option<String> {
    percent_decode_str(part).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

fn encoded(part: &str) -> String {
    utf8_percent_encode(part, PLAIN).to_string()
}

fn encoded_path(path: &str) -> String {
    path.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn address_leads_back_to_its_file() {
        let status = json!({"project": "my notes", "files": [
            {"path": "a/ü @1.md", "remote": "ab"}, {"path": "new.md", "remote": null},
        ]});
        let (listed, next) = listed(&status, 0);
        assert_eq!((listed.len(), next), (1, None));
        assert_eq!(listed[0].uri, "mirrord://my%20notes/latest/a/%C3%BC%20%401.md");
        let call = reads(&listed[0].uri).expect("an address");
        assert_eq!(call.words, ["--project=my notes", "show", "--", "a/ü @1.md@latest"]);
    }

    #[test]
    fn pages_follow_each_other() {
        let file = |number: usize| json!({"path": format!("{number}.md"), "remote": "ab"});
        let files: Vec<_> = (0..=PAGE).map(file).collect();
        let status = json!({"project": "notes", "files": files});
        let (first, next) = listed(&status, 0);
        assert_eq!((first.len(), next), (PAGE, Some(PAGE)));
        let (second, next) = listed(&status, PAGE);
        assert_eq!((second.len(), next), (1, None));
    }

    #[test]
    fn other_addresses_are_none() {
        for uri in
            ["file:///etc/passwd", "mirrord://notes", "mirrord://notes/latest/", "mirrord:///1/a"]
        {
            assert_eq!(reads(uri), None, "{uri}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_come_as_a_blob() {
        let shown = json!({"encoding": "base64", "text": "AAE="});
        let content = content("mirrord://n/1/a.bin", &shown);
        assert!(matches!(content, ResourceContents::BlobResourceContents { .. }));
    }
}
