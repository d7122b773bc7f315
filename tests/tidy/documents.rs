//! What the documents promise to be there is there.

use std::collections::BTreeSet;

use super::{SourceFile, files, nothing_in};
use crate::support::repository;

fn documents() -> Vec<SourceFile> {
    let mut documents = files("docs", "md");
    documents.push(SourceFile::read(&repository().join("README.md")));
    documents
}

/// Where the links of a Markdown text lead.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("](").filter_map(|(place, _)| text[place + 2..].split(')').next())
}

#[test]
fn every_link_in_the_documents_leads_to_a_file() {
    nothing_in(documents().iter().flat_map(|document| {
        let folder = repository().join(document.path.parent().expect("a folder"));
        let local =
            links(&document.text).filter(|link| !link.contains("://") && !link.starts_with('#'));
        let dead = local.filter(|link| {
            let path = link.split('#').next().unwrap_or_default();
            !folder.join(path).exists()
        });
        dead.map(|link| format!("{} links to {link}", document.path.display())).collect::<Vec<_>>()
    }));
}

#[test]
fn readme_leads_to_every_document() {
    let readme = SourceFile::read(&repository().join("README.md"));
    let linked: BTreeSet<&str> = links(&readme.text).collect();
    let pages = documents()
        .into_iter()
        .filter(|page| page.path.parent().is_some_and(|folder| folder.ends_with("docs")));
    nothing_in(pages.filter_map(|page| {
        let path = page.path.to_str().expect("names are UTF-8").to_owned();
        (!linked.contains(path.as_str())).then(|| format!("README.md does not link to {path}"))
    }));
}

#[test]
fn decisions_are_numbered_without_gaps() {
    let mut numbers: Vec<usize> = files("docs/decisions", "md")
        .iter()
        .filter_map(|decision| decision.path.file_name()?.to_str()?.split('-').next()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
}
