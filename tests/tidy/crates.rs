//! Which crate may know which (`docs/architecture.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{metadata, nothing_in};

/// Each crate with those of ours that it may name.
const ARROWS: [(&str, &[&str]); 9] = [
    ("mirror-core", &[]),
    ("mirror-storage", &["mirror-core"]),
    ("mirror-engine", &["mirror-core", "mirror-storage"]),
    ("mirror-proto", &[]),
    ("mirrord", &["mirror-core", "mirror-storage", "mirror-engine", "mirror-proto"]),
    ("mirrorctl", &["mirror-proto"]),
    ("mirrorctl-mcp", &[]),
    ("mirror-simulation", &["mirror-core", "mirror-storage", "mirror-engine"]),
    ("mirror-tests", &["mirror-core", "mirror-storage", "mirror-engine", "mirror-proto"]),
];

/// Each crate with what must not be below it, however deep.
const NEVER_BELOW: [(&str, &[&str]); 5] = [
    // Pure: no runtime, no randomness, no disk.
    ("mirror-core", &["tokio", "futures", "async-trait", "tempfile", "notify", "sled"]),
    ("mirror-storage", &["prost", "tonic", "sled", "notify"]),
    // The engine speaks plain values; words for the wire are the daemon's.
    ("mirror-engine", &["prost", "tonic", "clap", "figment"]),
    // The client starts fast and decides nothing.
    (
        "mirrorctl",
        &[
            "mirror-core",
            "mirror-storage",
            "mirror-engine",
            "sled",
            "notify",
            "figment",
            "zip",
            "rmcp",
        ],
    ),
    // It asks the client, and knows nothing of the daemon.
    ("mirrorctl-mcp", &["mirror-proto", "tonic", "prost"]),
];

fn packages() -> &'static [Value] {
    metadata()["packages"].as_array().expect("packages")
}

fn ours() -> impl Iterator<Item = &'static Value> {
    packages().iter().filter(|package| package["source"].is_null())
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// Package names by their ids.
fn names() -> BTreeMap<&'static str, &'static str> {
    packages().iter().map(|one| (text(&one["id"]), text(&one["name"]))).collect()
}

/// What each package links or runs, by id; dev-dependencies left out.
fn edges() -> BTreeMap<&'static str, Vec<&'static str>> {
    let nodes = metadata()["resolve"]["nodes"].as_array().expect("nodes");
    let linked = |dependency: &&Value| {
        let kinds = dependency["dep_kinds"].as_array().expect("kinds");
        kinds.iter().any(|kind| kind["kind"].is_null())
    };
    nodes
        .iter()
        .map(|node| {
            let dependencies = node["deps"].as_array().expect("dependencies");
            let dependencies = dependencies.iter().filter(linked).map(|one| text(&one["pkg"]));
            (text(&node["id"]), dependencies.collect())
        })
        .collect()
}

fn everything_below(name: &str) -> BTreeSet<&'static str> {
    let (names, edges) = (names(), edges());
    let start = ours().find(|one| one["name"] == name).expect("a crate of ours");
    let (mut seen, mut open) = (BTreeSet::new(), vec![text(&start["id"])]);
    while let Some(id) = open.pop() {
        for next in edges.get(id).into_iter().flatten() {
            if seen.insert(*next) {
                open.push(next);
            }
        }
    }
    seen.into_iter().map(|id| names[id]).collect()
}

#[test]
fn arrows_between_crates_point_one_way() {
    let arrows: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let own: BTreeSet<&str> = ours().map(|one| text(&one["name"])).collect();
    let findings = ours().flat_map(|package| {
        let name = text(&package["name"]);
        let allowed = arrows.get(name).unwrap_or_else(|| panic!("{name} is not in the table"));
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let named = dependencies.iter().map(|one| text(&one["name"]));
        let wrong = named.filter(|other| own.contains(other) && !allowed.contains(other));
        wrong.map(|other| format!("{name} must not name {other}")).collect::<Vec<_>>()
    });
    nothing_in(findings);
}

#[test]
fn crates_stay_free_of_what_is_not_their_job() {
    let findings = NEVER_BELOW.iter().flat_map(|(name, never)| {
        let below = everything_below(name);
        let found = never.iter().filter(|other| below.contains(*other)).copied();
        found.map(|other| format!("{other} is below {name}")).collect::<Vec<_>>()
    });
    nothing_in(findings);
}

#[test]
fn crates_take_version_edition_licence_and_lints_from_the_workspace() {
    let findings = ours().flat_map(|package| {
        let manifest = Path::new(text(&package["manifest_path"]));
        let manifest = fs::read_to_string(manifest).expect("the manifest");
        let inherited = ["version", "edition", "rust-version", "license", "publish"];
        let missing = inherited
            .into_iter()
            .filter(|key| !manifest.contains(&format!("{key}.workspace = true")));
        let mut findings: Vec<String> =
            missing.map(|key| format!("{}: {key}", package["name"])).collect();
        if !manifest.contains("[lints]\nworkspace = true") {
            findings.push(format!("{}: lints", package["name"]));
        }
        findings
    });
    nothing_in(findings);
}
