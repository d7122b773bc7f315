//! What a person is asked for about a server: the parts of its URL, and the key.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::keys::KEY_FILE;
use super::parts::{HOST, PATH, PORT, USER};
use super::url::{address, is_login, name, port_number};
use crate::services::local_path::typed_path;
use crate::services::question::{Asked, Question};

/// What holds where a question is left open.
const AS_SSH: Option<&str> = Some("as ssh has it");

pub(super) static QUESTIONS: [Question; 5] = [
    Question {
        name: HOST,
        word: "host",
        words: "Host, or what ~/.ssh/config calls it",
        unsaid: None,
        usual: |_| None,
        check: |typed, _| host(typed),
    },
    Question {
        name: USER,
        word: "user",
        words: "User on that host",
        unsaid: AS_SSH,
        usual: |_| None,
        check: |typed, _| user(typed),
    },
    Question {
        name: PORT,
        word: "port",
        words: "Port",
        unsaid: AS_SSH,
        usual: |_| None,
        check: |typed, _| port(typed),
    },
    Question {
        name: PATH,
        word: "folder",
        words: "Folder on that host, from / or from your home ~/",
        unsaid: None,
        usual: |asked| asked.may_make.then(|| format!("~/{}", asked.usual_name())),
        check: |typed, _| path(typed),
    },
    Question {
        name: KEY_FILE,
        word: "key",
        words: "File of your private key",
        unsaid: AS_SSH,
        usual: |_| None,
        check: key_file,
    },
];

fn refuse(why: &str) -> Result<String, String> {
    Err(why.to_owned())
}

/// A host name, an alias of `ssh_config` or an address.
fn host(typed: &str) -> Result<String, String> {
    let plain = typed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(typed);
    match plain {
        "" => refuse("a host is needed"),
        _ if address(plain).is_ok() || name(plain).is_ok() => Ok(plain.to_owned()),
        _ if plain.contains(['@', ':', '/']) => {
            refuse("the host alone, as nas.example.org: user, port and folder are asked for next")
        }
        _ => refuse("this is not the name of a host"),
    }
}

fn user(typed: &str) -> Result<String, String> {
    match is_login(typed) {
        true => Ok(typed.to_owned()),
        false => refuse("this is not the name of a login; a password is never asked for"),
    }
}

fn port(typed: &str) -> Result<String, String> {
    match port_number(typed) {
        Ok(port) => Ok(port.to_string()),
        Err(_) => refuse("a number from 1 to 65535"),
    }
}

/// A folder on a server: absolute, or `~/` below the login's home.
fn path(typed: &str) -> Result<String, String> {
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
fn key_file(typed: &str, asked: &Asked<'_>) -> Result<String, String> {
    let path = typed_path(typed, asked)?;
    match fs::metadata(&path) {
        Err(_) => refuse("there is no such file"),
        Ok(found) if !found.is_file() => refuse("this is not a file"),
        Ok(_) if path.extension().is_some_and(|end| end == "pub") => {
            refuse("this is the public half; the private one has the same name without .pub")
        }
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            refuse("ssh takes no key that others may read; `chmod 600` closes it")
        }
        Ok(_) => {
            path.into_os_string().into_string().or_else(|_| refuse("its name is not valid UTF-8"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[track_caller]
    fn check_refused(checked: Result<String, String>, why: &str) {
        let refused = checked.expect_err("refused");
        assert!(refused.contains(why), "{refused}");
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
        assert_eq!(port("2222").as_deref(), Ok("2222"));
        for typed in ["0", "65536", "+22", "ssh", ""] {
            check_refused(port(typed), "number");
        }
    }

    #[test]
    fn folder_on_a_server_begins_at_its_root_or_at_home() {
        for (typed, expected) in
            [("/srv//notes/", "/srv/notes"), ("~/notes", "~/notes"), ("/~/a/./b", "~/a/b")]
        {
            assert_eq!(path(typed).as_deref(), Ok(expected));
        }
        check_refused(path("notes"), "begin it with");
        check_refused(path("/srv/../etc"), "..");
        for top in ["/", "~", "~/", "/~/"] {
            check_refused(path(top), "name a folder");
        }
    }

    #[test]
    fn key_is_a_private_file_that_is_there() {
        let place = tempfile::tempdir().unwrap();
        let asked = Asked {
            may_make: true,
            project: Path::new("/n"),
            here: place.path(),
            home: place.path(),
        };
        for (name, mode) in [("good", 0o600), ("open", 0o644), ("good.pub", 0o644)] {
            let path = place.path().join(name);
            fs::write(&path, "key").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }

        let good = place.path().join("good").display().to_string();
        for typed in ["good", "~/good"] {
            assert_eq!(key_file(typed, &asked).as_deref(), Ok(good.as_str()));
        }
        check_refused(key_file("open", &asked), "chmod 600");
        check_refused(key_file("good.pub", &asked), "public half");
        check_refused(key_file(".", &asked), "not a file");
        check_refused(key_file("/nowhere/at/all", &asked), "no such file");
    }
}
