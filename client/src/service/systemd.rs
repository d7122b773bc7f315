//! A unit of the user's own systemd.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{MARK, Manager, THRIFT, Wanted};

const UNIT: &str = "mirrord.service";

pub(super) fn file(_home: &Path, config_home: &Path) -> PathBuf {
    config_home.join("systemd/user").join(UNIT)
}

/// Exit codes 2 and 3 mean a wrong setting and a daemon that runs already: starting
/// it again and again would change neither.
pub(super) fn text(wanted: &Wanted) -> String {
    format!(
        "# {MARK}; `mirrorctl daemon disable` removes it.\n\
         # To change it, use `systemctl --user edit {UNIT}`: this file is written anew.\n\
         [Unit]\n\
         Description=mirrord keeps projects the same on several machines\n\
         \n\
         [Service]\n\
         Type=notify\n\
         ExecStart={program}\n\
         {places}\
         Environment={thrift}\n\
         UMask={umask:04o}\n\
         Restart=on-failure\n\
         RestartSec=5\n\
         RestartPreventExitStatus=2 3\n\
         KillMode=mixed\n\
         TimeoutStopSec=20\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n",
        program = quoted(&wanted.program.display().to_string()).replace('$', "$$"),
        places = places(wanted),
        thrift = THRIFT.map(|(name, value)| format!("{name}={value}")).join(" "),
        umask = wanted.umask,
    )
}

/// The lines that say whose daemon it is.
pub(super) fn places(wanted: &Wanted) -> String {
    let line = |(name, value): &(&str, String)| quoted(&format!("{name}={value}"));
    let lines = wanted.environment.iter().map(line);
    lines.flat_map(|line| ["Environment=".to_owned(), line, "\n".to_owned()]).collect()
}

pub(super) fn places_in(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| line.starts_with("Environment=\"")).collect()
}

fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
}

fn link(file: &Path) -> PathBuf {
    file.with_file_name("default.target.wants").join(UNIT)
}

pub(super) fn is_linked(file: &Path) -> bool {
    let target = fs::read_link(link(file));
    target.is_ok_and(|found| found == Path::new("..").join(UNIT) || found == file)
}

/// What `systemctl --user enable` does, which can't be asked from every login; true
/// when there was something to do.
pub(super) fn link_in(file: &Path) -> io::Result<bool> {
    let link = link(file);
    let target = Path::new("..").join(UNIT);
    match fs::read_link(&link) {
        Ok(found) if found == target || found == file => return Ok(false),
        Ok(_) => fs::remove_file(&link)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::create_dir_all(link.parent().unwrap_or(file))?;
    symlink(target, link).map(|()| true)
}

pub(super) fn link_out(file: &Path) -> io::Result<()> {
    let link = link(file);
    match fs::remove_file(&link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    // Other services may be in it.
    drop(link.parent().map(fs::remove_dir));
    Ok(())
}

/// The folders that the file was made with go as well, unless something is in them.
pub(super) fn folders_out(file: &Path) {
    let Some(units) = file.parent().filter(|folder| folder.ends_with("systemd/user")) else {
        return;
    };
    if fs::remove_dir(units).is_ok() {
        drop(units.parent().map(fs::remove_dir));
    }
}

pub(super) fn manager() -> Manager {
    if systemctl(&["show-environment"]) {
        Manager::Answers
    } else if Path::new("/run/systemd/system").is_dir() {
        Manager::NotHere
    } else {
        Manager::Missing
    }
}

pub(super) fn reload(_file: &Path) {
    systemctl(&["daemon-reload"]);
}

/// Whether the unit of that name is this very file for systemd. One that doesn't say
/// so is believed to see it.
pub(super) fn sees(file: &Path) -> bool {
    let said = command(&["show", "-p", "FragmentPath", UNIT]).stderr(Stdio::null()).output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    said.map_or(true, |said| is_read_from(&said, file))
}

fn is_read_from(said: &str, file: &Path) -> bool {
    let mut lines = said.lines();
    let Some(path) = lines.find_map(|line| line.strip_prefix("FragmentPath=")) else { return true };
    let real = |path: &Path| path.canonicalize().ok();
    !path.is_empty() && real(Path::new(path)) == real(file)
}

pub(super) fn start(_file: &Path) -> bool {
    // One that ended too often in a row counts as failed until it is told.
    systemctl(&["reset-failed", UNIT]);
    systemctl(&["start", UNIT])
}

/// Without lingering, a user's services live as long as its logins.
pub(super) fn advice(_home: &Path) -> Option<String> {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).ok();
    let user = user.filter(|user| !user.is_empty() && !user.contains('/'));
    let is_lingering =
        user.as_ref().is_some_and(|user| Path::new("/var/lib/systemd/linger").join(user).exists());
    (!is_lingering).then(|| {
        "it runs while you are logged in; `loginctl enable-linger` lets it start with the machine \
         and outlive your logins"
            .to_owned()
    })
}

/// Asks the user's manager for something, in silence.
fn systemctl(words: &[&str]) -> bool {
    let status = command(words).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new("systemctl");
    command.arg("--user").args(words);
    // Logins by `su` and cron don't say where it is.
    let user_id = mirror_proto::socket::user_id();
    let usual = PathBuf::from(format!("/run/user/{user_id}"));
    let is_ours = fs::metadata(&usual).is_ok_and(|found| found.uid() == user_id);
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() && is_ours {
        command.env("XDG_RUNTIME_DIR", usual);
    }
    command.stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::super::tests::wanted;
    use super::*;

    #[test]
    fn unit_names_the_program_and_the_home_whatever_their_names_are() {
        let text = text(&wanted(&[("MIRRORD_HOME", "/a \"b\" 5%")]));
        for line in [
            "ExecStart=\"/opt/50%% off/mirrord\"",
            "Environment=\"MIRRORD_HOME=/a \\\"b\\\" 5%%\"",
            "UMask=0027",
            "WantedBy=default.target",
            "Type=notify",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        assert_eq!(places_in(&text), places(&wanted(&[("MIRRORD_HOME", "/a \"b\" 5%")])));
    }

    /// In a mount namespace of its own, a folder that is mounted for the person is not
    /// seen outside; without new privileges, `fusermount` and helpers of servers fail.
    #[test]
    fn unit_closes_nothing_that_mounts_and_helpers_need() {
        let text = text(&wanted(&[]));
        let closing = [
            "Private",
            "Protect",
            "ReadOnly",
            "ReadWrite",
            "Inaccessible",
            "Bind",
            "Temporary",
            "NoNewPrivileges",
            "Restrict",
            "SystemCall",
            "Root",
            "Capability",
            "DynamicUser",
            "MountFlags",
            "MemoryDenyWrite",
            "LockPersonality",
        ];
        let found =
            closing.into_iter().find(|word| text.lines().any(|line| line.starts_with(word)));
        assert_eq!(found, None, "{text}");
    }

    #[test]
    fn unit_is_seen_where_systemd_names_this_very_file() {
        let place = tempfile::tempdir().expect("a folder");
        let (file, link) = (place.path().join(UNIT), place.path().join("link"));
        fs::write(&file, "").expect("written");
        symlink(&file, &link).expect("linked");
        let says = |path: &Path| format!("FragmentPath={}\n", path.display());

        assert!(is_read_from(&says(&file), &file));
        assert!(is_read_from(&says(&link), &file));
        assert!(is_read_from("", &file), "it is too old to say");
        for other in ["FragmentPath=\n", "FragmentPath=/etc/systemd/user/mirrord.service\n"] {
            assert!(!is_read_from(other, &file), "{other:?}");
        }
    }

    #[test]
    fn unit_is_wanted_by_the_login_until_it_is_taken_out() {
        let place = tempfile::tempdir().expect("a folder");
        let file = place.path().join(UNIT);
        fs::write(&file, "").expect("written");
        let link = place.path().join("default.target.wants").join(UNIT);

        assert!(link_in(&file).expect("linked"));
        assert!(!link_in(&file).expect("linked"));
        assert_eq!(link.canonicalize().expect("leads there"), file.canonicalize().expect("there"));

        fs::remove_file(&link).expect("removed");
        symlink("/nowhere", &link).expect("linked");
        assert!(link_in(&file).expect("mended"));
        assert!(link.exists());

        link_out(&file).expect("taken out");
        link_out(&file).expect("nothing to do");
        assert!(!link.parent().expect("a folder").exists());
    }
}
