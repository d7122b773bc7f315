//! Whether an answer can be used, and why not, in words for who gave it.
//!
//! The daemon decides in the end; what is refused here only saves a trip.

use std::fs;
use std::net::Ipv6Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mirror_proto::v1::ProjectSummary;

use crate::paths;

/// What is mirrored unless something else is said.
pub(super) const USUAL_PATTERN: &str = "**/*.md";

/// No globs of its own: what the other machines mirror.
pub(super) const ALL_OF_IT: &str = "all that the project has";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    Sftp,
}

type Checked<T> = Result<T, String>;

fn refuse<T>(why: &str) -> Checked<T> {
    Err(why.to_owned())
}

pub(super) fn yes_or_no(typed: &str) -> Checked<bool> {
    match typed.to_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => refuse("yes or no"),
    }
}

pub(super) fn kind(typed: &str) -> Checked<Kind> {
    match typed.to_lowercase().as_str() {
        "f" | "folder" => Ok(Kind::Folder),
        "s" | "sftp" => Ok(Kind::Sftp),
        _ => refuse("folder (a disk or a NAS mount) or sftp (a server that you reach by ssh)"),
    }
}

/// A folder of this machine as an absolute path; `~/` is the home, as in a shell.
fn local(typed: &str) -> Checked<String> {
    if typed.is_empty() {
        return refuse("a folder is needed");
    }
    if typed.contains(char::is_control) {
        return refuse("a path has no control characters");
    }
    let below = typed.strip_prefix('~').filter(|below| below.is_empty() || below.starts_with('/'));
    let path = match (below, std::env::home_dir()) {
        (Some(below), Some(home)) => format!("{}{below}", home.display()),
        _ => typed.to_owned(),
    };
    paths::absolute(&path).map_err(|failure| failure.fault.message)
}

/// The folder of a new project: there, or with a place to make it in.
pub(super) fn folder_of_init(typed: &str, projects: &[ProjectSummary]) -> Checked<String> {
    let path = local(typed)?;
    is_there_or_can_be(&path)?;
    is_free(&path, projects)?;
    Ok(path)
}

/// The folder of a clone: absent or empty.
pub(super) fn folder_of_clone(typed: &str, projects: &[ProjectSummary]) -> Checked<String> {
    let path = local(typed)?;
    is_there_or_can_be(&path)?;
    is_free(&path, projects)?;
    match fs::read_dir(&path).map(|mut entries| entries.next().is_none()) {
        Ok(false) => refuse("this folder is not empty; `mirrorctl init --wizard` joins with one"),
        Ok(true) | Err(_) => Ok(path),
    }
}

/// The folder of a backend, beside the project's.
pub(super) fn backend_of_init(typed: &str, project: &str) -> Checked<String> {
    let path = local(typed)?;
    is_there_or_can_be(&path)?;
    match Path::new(&path).starts_with(project) || Path::new(project).starts_with(&path) {
        true => refuse("the project's folder and the backend's may not lie in each other"),
        false => Ok(path),
    }
}

pub(super) fn backend_of_clone(typed: &str) -> Checked<String> {
    let path = local(typed)?;
    match Path::new(&path).is_dir() {
        true => Ok(path),
        false => refuse("there is no such folder; is its disk mounted?"),
    }
}

/// A path that leads nowhere is more often a disk that is not mounted.
fn is_there_or_can_be(path: &str) -> Checked<()> {
    let path = Path::new(path);
    match (path.is_dir(), path.exists(), path.parent()) {
        (true, ..) => Ok(()),
        (false, true, _) => refuse("this is not a folder"),
        (false, false, Some(above)) if above.is_dir() => Ok(()),
        (false, false, _) => {
            refuse("the folder above it is not there either; is its disk mounted?")
        }
    }
}

fn is_free(path: &str, projects: &[ProjectSummary]) -> Checked<()> {
    match projects.iter().find(|project| paths::contains(&project.root, path)) {
        Some(project) => {
            Err(format!("this folder belongs to the project {} already", project.name))
        }
        None => Ok(()),
    }
}

/// A host name, an alias of `ssh_config` or an address.
pub(super) fn host(typed: &str) -> Checked<String> {
    let known = |letter: char| letter.is_alphanumeric() || "-._+".contains(letter);
    let plain = typed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(typed);
    let number = plain.split('%').next().unwrap_or_default();
    match plain {
        "" => refuse("a host is needed"),
        _ if number.parse::<Ipv6Addr>().is_ok() => Ok(plain.to_owned()),
        _ if plain.contains(['@', ':', '/']) => {
            refuse("the host alone, as nas.example.org: user, port and folder are asked for next")
        }
        _ if plain.starts_with('-') || !plain.chars().all(known) => {
            refuse("this is not the name of a host")
        }
        _ => Ok(plain.to_owned()),
    }
}

pub(super) fn user(typed: &str) -> Checked<String> {
    let odd = |letter: char| {
        letter.is_control() || letter.is_whitespace() || "'`\";&<>|(){}$\\:".contains(letter)
    };
    match typed.starts_with('-') || typed.contains(odd) {
        true => refuse("this is not the name of a login; a password is never asked for"),
        false => Ok(typed.to_owned()),
    }
}

pub(super) fn port(typed: &str) -> Checked<u16> {
    match typed.parse() {
        Ok(port @ 1..) if typed.bytes().all(|digit| digit.is_ascii_digit()) => Ok(port),
        _ => refuse("a number from 1 to 65535"),
    }
}

/// A folder on a server: absolute, or `~/` below the login's home.
pub(super) fn server_path(typed: &str) -> Checked<String> {
    // As a URL spells it.
    let typed = if typed.starts_with("/~/") { &typed[1..] } else { typed };
    let (start, rest) = match typed.strip_prefix("~/") {
        Some(rest) => ("~", rest),
        None if typed == "~" => ("~", ""),
        None => match typed.strip_prefix('/') {
            Some(rest) => ("", rest),
            None => return refuse("begin it with / or, below your home there, with ~/"),
        },
    };
    let parts: Vec<_> = rest.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    match parts.as_slice() {
        [] => refuse("name a folder in it: all that it holds would belong to the project"),
        parts if parts.contains(&"..") => refuse("write the whole path, without .."),
        _ if rest.contains(char::is_control) => refuse("a path has no control characters"),
        parts => Ok(format!("{start}/{}", parts.join("/"))),
    }
}

/// The file of a private key, as ssh will take it.
pub(super) fn key_file(typed: &str) -> Checked<String> {
    let path = local(typed)?;
    match fs::metadata(&path) {
        Err(_) => refuse("there is no such file"),
        Ok(found) if !found.is_file() => refuse("this is not a file"),
        Ok(_) if Path::new(&path).extension().is_some_and(|end| end == "pub") => {
            refuse("this is the public half; the private one has the same name without .pub")
        }
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            refuse("ssh takes no key that others may read; `chmod 600` closes it")
        }
        Ok(_) => Ok(path),
    }
}

pub(super) fn name(typed: &str, projects: &[ProjectSummary]) -> Checked<String> {
    const LONGEST: usize = 64;
    let known = |letter: char| letter.is_alphanumeric() || " ._-".contains(letter);
    match typed {
        "" => refuse("a project needs a name"),
        _ if typed.starts_with(['.', '-']) => refuse("a name starts with a letter or digit"),
        _ if typed.len() > LONGEST => refuse("a name has at most 64 bytes"),
        _ if !typed.chars().all(known) => refuse("only letters, digits, spaces and ._-"),
        _ => match projects.iter().find(|project| project.name == typed) {
            Some(other) => Err(format!("a project of this name is in {} already", other.root)),
            None => Ok(typed.to_owned()),
        },
    }
}

/// Globs with spaces between them; none when they say what holds anyway.
pub(super) fn patterns(typed: &str, joins: bool) -> Checked<Vec<String>> {
    if typed == if joins { ALL_OF_IT } else { USUAL_PATTERN } {
        return Ok(Vec::new());
    }
    let globs: Vec<_> = typed.split_whitespace().map(str::to_owned).collect();
    let problem = globs.iter().find_map(|glob| {
        let count = |letter| glob.matches(letter).count();
        let why = match glob.as_str() {
            _ if glob.starts_with('/') => "begins with /, but the project's folder is the top",
            _ if glob.ends_with('/') => "ends with /; all below a folder is `folder/**`",
            _ if glob.split('/').any(|part| matches!(part, "" | "." | "..")) => {
                "has an empty, `.` or `..` part and matches nothing"
            }
            _ if count('{') != count('}') => "opens a brace that it never closes, or the reverse",
            _ => return None,
        };
        Some(format!("{glob} {why}"))
    });
    problem.map_or(Ok(globs), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused<T: std::fmt::Debug>(checked: Checked<T>, why: &str) {
        let refused = checked.expect_err("refused");
        assert!(refused.contains(why), "{refused}");
    }

    fn project(name: &str, root: &str) -> ProjectSummary {
        ProjectSummary { name: name.into(), root: root.into(), ..ProjectSummary::default() }
    }

    #[test]
    fn host_is_a_name_or_an_address_alone() {
        for typed in ["nas", "nas.example.org", "10.0.0.2", "fe80::1%eth0", "my_nas"] {
            assert_eq!(host(typed).as_deref(), Ok(typed));
        }
        assert_eq!(host("[::1]").as_deref(), Ok("::1"));
        for typed in ["ann@nas", "nas:22", "sftp://nas/x"] {
            check_refused(host(typed), "the host alone");
        }
        check_refused(host("-oProxyCommand=x"), "not the name");
        check_refused(host("my nas"), "not the name");
        check_refused(host(""), "needed");
    }

    #[test]
    fn login_with_what_a_shell_reads_is_refused() {
        for typed in ["ann:hunter2", "-l", "a b", "$(x)"] {
            check_refused(user(typed), "login");
        }
        assert_eq!(user("ann@corp").as_deref(), Ok("ann@corp"));
    }

    #[test]
    fn port_is_a_number_that_there_is() {
        assert_eq!(port("2222"), Ok(2222));
        for typed in ["0", "65536", "+22", "ssh", ""] {
            check_refused(port(typed), "number");
        }
    }

    #[test]
    fn folder_on_a_server_begins_at_its_root_or_at_home() {
        for (typed, expected) in
            [("/srv//notes/", "/srv/notes"), ("~/notes", "~/notes"), ("/~/a/./b", "~/a/b")]
        {
            assert_eq!(server_path(typed).as_deref(), Ok(expected));
        }
        check_refused(server_path("notes"), "begin it with");
        check_refused(server_path("/srv/../etc"), "..");
        for top in ["/", "~", "~/", "/~/"] {
            check_refused(server_path(top), "name a folder");
        }
    }

    #[test]
    fn key_is_a_private_file_that_is_there() {
        let place = tempfile::tempdir().expect("a folder");
        let file = |name: &str, mode| {
            let path = place.path().join(name);
            fs::write(&path, "key").expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
            path.display().to_string()
        };

        assert!(key_file(&file("good", 0o600)).is_ok());
        check_refused(key_file(&file("open", 0o644)), "chmod 600");
        check_refused(key_file(&file("good.pub", 0o644)), "public half");
        check_refused(key_file(&place.path().display().to_string()), "not a file");
        check_refused(key_file("/nowhere/at/all"), "no such file");
    }

    #[test]
    fn folder_of_a_project_is_free_and_has_a_place() {
        let place = tempfile::tempdir().expect("a folder");
        let root = place.path().display().to_string();
        fs::write(place.path().join("file"), "").expect("written");
        let others = [project("notes", &format!("{root}/notes"))];

        assert!(folder_of_init(&format!("{root}/new"), &others).is_ok());
        check_refused(folder_of_init(&format!("{root}/notes/deep"), &others), "folder above");
        check_refused(folder_of_init(&format!("{root}/notes"), &others), "project notes");
        check_refused(folder_of_init(&format!("{root}/file"), &others), "not a folder");
        check_refused(folder_of_init(&format!("{root}/no/such"), &[]), "mounted");
        check_refused(folder_of_clone(&root, &[]), "not empty");
        assert!(folder_of_clone(&format!("{root}/new"), &[]).is_ok());
    }

    #[test]
    fn backend_is_a_folder_apart_from_the_project() {
        let place = tempfile::tempdir().expect("a folder");
        let root = place.path().display().to_string();

        assert!(backend_of_init(&format!("{root}/b"), &format!("{root}/a")).is_ok());
        check_refused(backend_of_init(&format!("{root}/b"), &root), "in each other");
        check_refused(backend_of_init(&root, &format!("{root}/a")), "in each other");
        check_refused(backend_of_clone(&format!("{root}/b")), "no such folder");
        assert!(backend_of_clone(&root).is_ok());
    }

    #[test]
    fn name_is_one_that_no_other_project_has() {
        let others = [project("notes", "/n")];
        assert_eq!(name("my notes", &others).as_deref(), Ok("my notes"));
        check_refused(name("notes", &others), "in /n already");
        check_refused(name("a/b", &others), "only letters");
        check_refused(name(".x", &others), "starts with");
    }

    #[test]
    fn globs_that_hold_anyway_are_left_out() {
        assert_eq!(patterns(USUAL_PATTERN, false), Ok(Vec::new()));
        assert_eq!(patterns(ALL_OF_IT, true), Ok(Vec::new()));
        assert_eq!(patterns(USUAL_PATTERN, true), Ok(vec![USUAL_PATTERN.to_owned()]));
    }

    #[test]
    fn globs_that_match_nothing_are_refused_by_name() {
        let globs = |typed: &str| patterns(typed, false);
        assert_eq!(globs("**/*.md docs/**"), Ok(vec!["**/*.md".into(), "docs/**".into()]));
        check_refused(globs("/docs/**"), "begins with /");
        check_refused(globs("a docs/"), "docs/ ends with /");
        check_refused(globs("../x"), "matches nothing");
        check_refused(globs("*.{md,txt"), "brace");
    }
}
