//! Which files may name a kind of service (`docs/adding-a-backend.md`): its
//! adapter, its folder of the daemon, and the lines that register it.

use super::{SourceFile, files, nothing_in, without_comments};
use crate::support::repository;

const TABLE: &str = "daemon/mirrord/src/services/mod.rs";
const ADAPTERS: &str = "daemon/storage/src/adapter/mod.rs";

/// Each kind with the words by which code would name it.
const NAMES: [(&str, &[&str]); 2] = [
    ("folder", &["FolderBackend", "FolderUrl", "FolderAccount", "folder:/", "\"folder:"]),
    ("sftp", &["sftp", "Sftp", "SFTP", "ssh", "SSH"]),
];

/// The kinds that the daemon's table has, by the names of their folders.
fn registered(table: &str) -> Vec<&str> {
    let (_, rest) = table.split_once("const KINDS").expect("the table of kinds");
    let (_, rest) = rest.split_once('=').expect("its lines");
    let (lines, _) = rest.split_once("];").expect("its end");
    let lines = lines.trim().trim_start_matches('[').split(',');
    lines.filter_map(|line| line.trim().strip_prefix('&')?.split("::").next()).collect()
}

fn is_at_home(file: &SourceFile, kind: &str) -> bool {
    let homes = [
        format!("daemon/storage/src/adapter/{kind}"),
        format!("daemon/mirrord/src/services/{kind}"),
        TABLE.to_owned(),
        ADAPTERS.to_owned(),
    ];
    homes.iter().any(|home| file.path.starts_with(home))
}

/// Of the client its tests count, too: it knows no service at all.
fn code_of(file: &SourceFile) -> String {
    match file.path.starts_with("client") {
        true => without_comments(&file.text),
        false => file.production(),
    }
}

fn strangers(files: &[SourceFile]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let code = code_of(file);
        for (kind, names) in NAMES.iter().filter(|(kind, _)| !is_at_home(file, kind)) {
            let name = names.iter().find(|name| code.contains(**name));
            found.extend(name.map(|name| format!("{} names {kind}: {name}", file.path.display())));
        }
    }
    found
}

#[test]
fn no_other_file_names_a_kind_of_service() {
    let mut all = files("daemon", "rs");
    all.extend(files("client", "rs"));
    all.extend(files("proto/src", "rs"));
    nothing_in(strangers(&all));
}

#[test]
fn each_kind_is_one_adapter_one_folder_one_line_and_one_page() {
    let table = SourceFile::read(&repository().join(TABLE));
    let kinds = registered(&table.text);
    assert_eq!(kinds, NAMES.map(|(kind, _)| kind), "say here by which words code names a kind");
    nothing_in(kinds.iter().flat_map(|kind| {
        let places = [
            format!("daemon/storage/src/adapter/{kind}/mod.rs"),
            format!("daemon/mirrord/src/services/{kind}/mod.rs"),
            format!("docs/backends/{kind}.md"),
        ];
        let missing = places.into_iter().filter(|place| !repository().join(place).exists());
        missing.map(|place| format!("there is no {place}")).collect::<Vec<_>>()
    }));
    let folders = repository().join("daemon/mirrord/src/services");
    let entries = folders.read_dir().expect("the folder can be listed").map_while(Result::ok);
    let unregistered = entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|folder| !kinds.contains(&folder.as_str()));
    nothing_in(unregistered.map(|folder| format!("services/{folder} has no line in the table")));
}

#[test]
fn stranger_is_seen_wherever_it_names_a_kind() {
    let seen = |path: &str, text: &str| {
        !strangers(&[SourceFile { path: path.into(), text: text.to_owned() }]).is_empty()
    };
    let naming = "use mirror_storage::adapter::SftpBackend;";
    for path in ["daemon/mirrord/src/doctor/run.rs", "daemon/engine/src/x.rs", "client/src/x.rs"] {
        assert!(seen(path, naming), "{path}");
        assert!(seen(path, "let url = \"folder:/mnt/nas\";"), "{path}");
        assert!(!seen(path, "// As with sftp.\nlet folder = 1;"), "{path}");
    }
    let tests = "#[cfg(test)]\nmod tests {\n    const URL: &str = \"sftp://nas\";\n}";
    assert!(seen("client/src/x.rs", tests));
    assert!(!seen("daemon/mirrord/src/x.rs", tests));
    assert!(seen("daemon/mirrord/src/services/folder/mod.rs", naming));
    assert!(!seen("daemon/mirrord/src/services/sftp/mod.rs", naming));
    assert!(!seen("daemon/storage/src/adapter/sftp/mod.rs", naming));
    assert_eq!(registered("const KINDS: [&dyn Kind; 2] =\n    [&a::A, &b::B,\n];"), ["a", "b"]);
    assert_eq!(registered("const KINDS: [&dyn Kind; 2] = [&a::A, &b::B];"), ["a", "b"]);
}
