//! Tells the service manager that started this daemon how far it is.
//!
//! One line each, sent to the socket that it names: there is nothing to answer and
//! nobody to wait for.

use std::ffi::OsString;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};

const SOCKET: &str = "NOTIFY_SOCKET";

/// What a manager can be told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told {
    /// Clients can come.
    Ready,
    Stopping,
}

/// One that was started by a client has that client's manager in its environment, who
/// didn't ask for it.
pub(crate) fn tell(told: Told, on_demand: bool) {
    let Some(socket) = std::env::var_os(SOCKET).filter(|_| !on_demand) else { return };
    if let Err(error) = send(socket, told) {
        tracing::warn!(%error, ?told, "the service manager could not be told");
    }
}

fn send(socket: OsString, told: Told) -> io::Result<()> {
    let line: &[u8] = match told {
        Told::Ready => b"READY=1",
        Told::Stopping => b"STOPPING=1",
    };
    UnixDatagram::unbound()?.send_to_addr(line, &address(socket)?).map(|_| ())
}

/// A name that begins with @ is no file.
#[cfg(target_os = "linux")]
fn address(socket: OsString) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(socket),
    }
}

#[cfg(not(target_os = "linux"))]
fn address(socket: OsString) -> io::Result<SocketAddr> {
    SocketAddr::from_pathname(socket)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[track_caller]
    fn check(manager: &UnixDatagram, name: &OsStr) {
        for (told, expected) in [(Told::Ready, "READY=1"), (Told::Stopping, "STOPPING=1")] {
            send(name.to_owned(), told).expect("sent");
            let mut line = [0; 64];
            let length = manager.recv(&mut line).expect("heard");
            assert_eq!(&line[..length], expected.as_bytes());
        }
    }

    #[test]
    fn manager_hears_by_its_socket() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("notify");
        check(&UnixDatagram::bind(&path).expect("bound"), path.as_os_str());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn manager_hears_by_a_socket_that_is_no_file() {
        let name = format!("@mirrord-test-{}", std::process::id());
        let address = address(name.clone().into()).expect("a name");
        check(&UnixDatagram::bind_addr(&address).expect("bound"), name.as_ref());
    }

    #[test]
    fn manager_that_is_gone_is_no_reason_to_stop() {
        assert!(send("/nowhere/notify".into(), Told::Ready).is_err());
    }
}
