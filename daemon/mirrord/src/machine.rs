//! Which machine this is, told apart from copies of its configuration.
//!
//! The id stands in the config folder beside a fingerprint of the machine and
//! the state folder. Where the fingerprint no longer fits, the folder was
//! copied or restored elsewhere, and a new id is made (B6).

use std::fs;
use std::io;
use std::path::Path;

use mirror_core::{Digest, Ulid};

use crate::private_file::write_private;

const OS_MACHINE_ID: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// Reads this machine's id, or makes one.
pub(crate) fn id_in(config: &Path, state: &Path) -> io::Result<Ulid> {
    let os_id =
        OS_MACHINE_ID.iter().find_map(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    // The same folder, whichever link led there.
    let state = fs::canonicalize(state).unwrap_or_else(|_| state.to_owned());
    id_for(&config.join("machine_id"), &fingerprint(os_id.trim(), &state))
}

fn fingerprint(os_id: &str, state: &Path) -> String {
    Digest::of(format!("{os_id}\n{}", state.display()).as_bytes()).to_string()
}

fn id_for(file: &Path, fingerprint: &str) -> io::Result<Ulid> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    let mut lines = text.lines();
    let id = lines.next().and_then(|line| line.trim().parse().ok());
    match (id, lines.next().map(str::trim)) {
        (Some(id), Some(known)) if known == fingerprint => Ok(id),
        _ => {
            let id = Ulid::generate();
            write_private(file, &format!("{id}\n{fingerprint}\n"))?;
            Ok(id)
        }
    }
}

/// This machine's name as people know it.
pub(crate) fn host_name() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    let short = name.split('.').next().unwrap_or_default();
    if short.is_empty() { "machine".to_owned() } else { short.to_owned() }
}

/// The login that the daemon runs for.
pub(crate) fn login() -> String {
    ["USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|login| !login.is_empty()))
        .or_else(|| login_in(&fs::read_to_string("/etc/passwd").ok()?))
        .unwrap_or_else(|| format!("uid{}", mirror_proto::socket::user_id()))
}

fn login_in(passwd: &str) -> Option<String> {
    let user_id = mirror_proto::socket::user_id().to_string();
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let login = fields.next()?;
        (fields.nth(1)? == user_id).then(|| login.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn id_stays_until_the_fingerprint_no_longer_fits() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("machine_id");
        let here = fingerprint("aa", Path::new("/state"));

        let first = id_for(&file, &here).unwrap();
        assert_eq!(id_for(&file, &here).unwrap(), first);
        let copied = id_for(&file, &fingerprint("bb", Path::new("/state"))).unwrap();
        assert_ne!(copied, first);
        let moved = id_for(&file, &fingerprint("bb", Path::new("/other"))).unwrap();
        assert_ne!(moved, copied);
    }

    #[test]
    fn id_file_is_private_and_a_damaged_one_is_replaced() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("machine_id");
        fs::write(&file, "nonsense").unwrap();

        let id = id_for(&file, "print").unwrap();

        assert_eq!(fs::read_to_string(&file).unwrap(), format!("{id}\nprint\n"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
