//! Whose code we may link. `deny.toml` is the list; this reads it, so that
//! both can't drift apart.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{metadata, nothing_in};
use crate::support::repository;

/// The quoted texts between `begin` and the next line that is `]`.
fn listed(begin: &str) -> Vec<String> {
    let deny = fs::read_to_string(repository().join("deny.toml")).expect("deny.toml");
    let (_, rest) = deny.split_once(begin).unwrap_or_else(|| panic!("no {begin:?} in deny.toml"));
    let (block, _) = rest.split_once("\n]").expect("the list ends");
    let quoted = block.lines().filter(|line| !line.trim_start().starts_with('#'));
    quoted.filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
}

/// The packages that some feature of the workspace really pulls in.
fn used_packages() -> impl Iterator<Item = &'static Value> {
    let nodes = metadata()["resolve"]["nodes"].as_array().expect("nodes");
    let used: BTreeSet<_> = nodes.iter().map(|node| node["id"].as_str()).collect();
    let packages = metadata()["packages"].as_array().expect("packages");
    packages.iter().filter(move |package| used.contains(&package["id"].as_str()))
}

/// Whether an SPDX expression can be met by allowed licences alone.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let met = any_of(&mut rest, allowed);
    assert!(rest.is_empty(), "{expression:?} is not understood");
    met
}

fn any_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = all_of(words, allowed);
    while let [first, rest @ ..] = *words
        && *first == "OR"
    {
        *words = rest;
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while let [first, rest @ ..] = *words
        && *first == "AND"
    {
        *words = rest;
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    let name = match **words {
        ["(", ref rest @ ..] => {
            *words = rest;
            let met = any_of(words, allowed);
            *words = words.strip_prefix(&[")"]).expect("parentheses close");
            return met;
        }
        [name, "WITH", exception, ref rest @ ..] => {
            *words = rest;
            format!("{name} WITH {exception}")
        }
        [name, ref rest @ ..] => {
            *words = rest;
            name.to_owned()
        }
        [] => panic!("the expression ends early"),
    };
    allowed.contains(&name)
}

#[test]
fn licence_expressions_are_read_as_spdx_means_them() {
    let allowed = ["MIT".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
    for met in ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "MIT AND (GPL-3.0 OR MIT)"] {
        assert!(is_met(met, &allowed), "{met}");
    }
    assert!(is_met("Apache-2.0 WITH LLVM-exception", &allowed));
    for unmet in ["GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0", "(MIT OR X) AND GPL-3.0"] {
        assert!(!is_met(unmet, &allowed), "{unmet}");
    }
}

#[test]
fn every_dependency_has_an_allowed_licence() {
    let allowed = listed("allow = [");
    assert!(!allowed.iter().any(|name| name.contains("GPL")), "no GPL of any kind");
    nothing_in(used_packages().filter_map(|package| {
        let licence = package["license"].as_str().unwrap_or("none");
        (!is_met(licence, &allowed)).then(|| format!("{}: {licence}", package["name"]))
    }));
}

#[test]
fn no_banned_crate_is_linked() {
    let banned = listed("\ndeny = [");
    assert!(
        ["ring", "openssl", "openssl-sys"].iter().all(|one| banned.contains(&(*one).to_owned()))
    );
    nothing_in(used_packages().filter_map(|package| {
        let name = package["name"].as_str().unwrap_or_default();
        banned.contains(&name.to_owned()).then(|| format!("{name} is banned"))
    }));
}

#[test]
fn everything_comes_from_the_registry_or_from_here() {
    nothing_in(used_packages().filter_map(|package| {
        let source = package["source"].as_str().unwrap_or("registry+here");
        (!source.starts_with("registry+")).then(|| format!("{}: {source}", package["name"]))
    }));
}
