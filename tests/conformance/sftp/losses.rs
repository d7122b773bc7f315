//! Connections that are lost: the call that was under way says so in time, and
//! the next one finds a new connection.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use mirror_storage::adapter::sftp::{SftpConnection, SftpFault};
use mirror_storage::{Body, ByteStream, Expect, FaultClass, Guarded, Source, StorageError};

use super::{Place, all_of, in_time, is_of, varied};
use crate::support::proxy::Proxy;
use crate::support::servers::sftp::{SftpServer, Variant};
use crate::support::{eventually, in_the_end, processes};

/// How long a client waits for a server that has gone deaf.
const SHORT: Duration = Duration::from_secs(4);

/// A place whose connection gives up soon.
fn impatient(server: &SftpServer, port: u16, root: &Path) -> Place {
    let mut account = server.account();
    account.port = Some(port);
    Place::over(Arc::new(SftpConnection::new(account).with_patience(SHORT)), root)
}

/// A call fails for this reason, which is likely to pass.
async fn fails(place: &Place, reason: &SftpFault) {
    let error = in_time(place.try_bytes("a")).await.expect_err("nobody can answer");
    is_of(&error, FaultClass::Transient);
    let StorageError::Unreachable(cause) = error else { panic!("{error:?}") };
    assert_eq!(cause.downcast_ref(), Some(reason));
}

/// Works again as soon as the client has rested from its last try.
async fn works_again(place: &Place) {
    in_the_end("the server is reached again", async || match place.try_bytes("a").await {
        Ok(bytes) => bytes == Some(b"one".to_vec()),
        Err(error) => {
            is_of(&error, FaultClass::Transient);
            false
        }
    })
    .await;
    in_time(place.store("b", "two")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_session_is_followed_by_another() {
    let Some(server) = SftpServer::start(Variant::Stock) else { return };
    let place = Place::on(&server, &server.new_root());
    place.store("a", "one").await;

    for _ in 0..5 {
        server.kill_sessions();
        // At most the call that finds out is lost.
        let _ = in_time(place.try_bytes("a")).await;
        assert_eq!(in_time(place.content("a")).await, "one");
    }

    assert_eq!(server.session_count(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_that_starts_again_is_found_again() {
    let Some(mut server) = SftpServer::start(Variant::Stock) else { return };
    let place = Place::on(&server, &server.new_root());
    place.store("a", "one").await;

    server.stop();
    for _ in 0..2 {
        let looked = in_time(place.try_bytes("a")).await;
        is_of(&looked.expect_err("nobody is there"), FaultClass::Transient);
    }
    server.start_again();
    works_again(&place).await;

    server.stop();
    server.starts_again_with_another_host_key();
    in_the_end("somebody else is noticed", async || {
        let error = place.try_bytes("a").await.expect_err("that is somebody else");
        error.class() == FaultClass::Auth
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_that_stops_answering_is_given_up_in_time() {
    let Some(server) = SftpServer::start(Variant::Stock) else { return };
    let place = impatient(&server, server.port(), &server.new_root());
    place.store("a", "one").await;

    server.suspend();
    fails(&place, &SftpFault::TimedOut).await;
    // The deaf session is left alone: another one is there by now.
    works_again(&place).await;

    server.suspend();
    fails(&place, &SftpFault::TimedOut).await;
    server.resume();
    works_again(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn line_that_swallows_everything_is_given_up_in_time() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let proxy = Proxy::to(server.port());
    let place = impatient(server, proxy.port(), &server.new_root());
    place.store("a", "one").await;

    proxy.swallows();
    fails(&place, &SftpFault::TimedOut).await;
    // A new connection gets no answer either.
    fails(&place, &SftpFault::TimedOut).await;
    proxy.plug_in();
    works_again(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unplugged_line_fails_at_once_and_comes_back() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let proxy = Proxy::to(server.port());
    let place = impatient(server, proxy.port(), &server.new_root());
    place.store("a", "one").await;

    proxy.unplug();
    fails(&place, &SftpFault::ConnectionLost).await;
    fails(&place, &SftpFault::ConnectionLost).await;
    proxy.plug_in();
    works_again(&place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_line_is_not_given_up() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let proxy = Proxy::to(server.port());
    let mut account = server.account();
    account.port = Some(proxy.port());
    let place = Place::over(Arc::new(SftpConnection::new(account)), &server.new_root());
    proxy.takes(Duration::from_millis(100), Duration::from_millis(100));
    let large = varied(3_000_000);

    in_time(place.store("large", large.clone())).await;

    assert!(in_time(place.bytes("large")).await == Some(large));
    assert_eq!(proxy.connection_count(), 1);
}

/// It may wait for a dead line for ever, long after its `ssh` was killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxy_command_ends_with_its_connection() {
    let Some(server) = SftpServer::shared(Variant::Stock) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let noted = folder.path().join("pid");
    let mut account = server.account();
    // It closes all that it could notice an end by.
    let command = format!("sh -c 'echo $$ > {}; exec sleep 1000 < /dev/null'", noted.display());
    account.ssh.ssh_options.insert(0, format!("ProxyCommand={command}"));
    let connection = SftpConnection::new(account);
    let greeting = tokio::spawn(async move { connection.greet().await });
    let pid = || std::fs::read_to_string(&noted).ok()?.trim().parse::<i32>().ok();
    eventually("the command runs", || pid().is_some_and(processes::is_running));

    greeting.abort();

    eventually("the command has ended", || !pid().is_some_and(processes::is_running));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_on_a_killed_session_all_end() {
    let Some(server) = SftpServer::start(Variant::Stock) else { return };
    let root = server.new_root();
    let place = Place::on(&server, &root);
    let name = |number: usize| format!("_mirror/packs/{number}.zip");

    let writers = (0..200).map(|number| {
        let place = place.clone();
        let content = vec![7; 20_000];
        async move { place.try_store(&name(number), content, Expect::Absent).await }
    });
    let killer = async {
        eventually("some have arrived", || root.join(name(0)).exists());
        server.kill_sessions();
    };
    let writers = tokio::spawn(join_all(writers));
    killer.await;
    let ends = in_time(writers).await.expect("no panic");

    for end in ends.iter().filter_map(|end| end.as_ref().err()) {
        is_of(end, FaultClass::Transient);
    }
    let disk = Place::folder(&root);
    for (number, end) in ends.iter().enumerate() {
        let stands = disk.bytes(&name(number)).await;
        assert!(stands.is_none() || stands == Some(vec![7; 20_000]), "{number} is half-made");
        assert!(stands.is_some() || end.is_err(), "{number} was said to be there");
        let again = in_time(place.try_store(&name(number), vec![7; 20_000], Expect::Absent)).await;
        let again = again.unwrap_or_else(|error| panic!("{}", all_of(&error)));
        assert_eq!(again == Guarded::Refused, stands.is_some(), "{number}");
    }
}

/// Bytes that do something to the world when half of them are gone.
struct Halfway<Deed>(Vec<u8>, Arc<Deed>);

impl<Deed: Fn() + Send + Sync + 'static> Source for Halfway<Deed> {
    fn open(&self) -> ByteStream {
        let chunks: Vec<Bytes> = self.0.chunks(50_000).map(Bytes::copy_from_slice).collect();
        let (half, deed) = (chunks.len() / 2, self.1.clone());
        let chunks = chunks.into_iter().enumerate().map(move |(number, chunk)| {
            if number == half {
                deed();
            }
            Ok::<_, StorageError>(chunk)
        });
        futures::stream::iter(chunks).boxed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upload_of_a_killed_session_leaves_the_old_content() {
    let Some(server) = SftpServer::start(Variant::Stock) else { return };
    let server = Arc::new(server);
    let root = server.new_root();
    let place = Place::on(&server, &root);
    place.store("a", "one").await;
    let large = varied(5_000_000);
    let killer = server.clone();
    let source = Arc::new(Halfway(large.clone(), Arc::new(move || killer.kill_sessions())));
    let body = Body::Source { len: 5_000_000, source };

    for (name, expect) in [("a", Expect::Anything), ("_mirror/packs/1.zip", Expect::Absent)] {
        let stored = in_time(place.try_store(name, body.clone(), expect)).await;
        is_of(&stored.expect_err("the session was killed"), FaultClass::Transient);
    }

    let disk = Place::folder(&root);
    assert_eq!(disk.content("a").await, "one");
    assert_eq!(disk.bytes("_mirror/packs/1.zip").await, None);
    in_time(place.store("a", large.clone())).await;
    assert!(place.bytes("a").await == Some(large));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn download_of_a_killed_session_ends_in_an_error() {
    let Some(server) = SftpServer::start(Variant::Stock) else { return };
    let place = Place::on(&server, &server.new_root());
    place.store("a", varied(8_000_000)).await;
    let range = mirror_storage::ByteRange::ALL;
    let read = in_time(place.backend().read(&super::path("a"), range)).await;
    let mut bytes = read.expect("it can be read").expect("it is there");
    let first = in_time(bytes.next()).await.expect("a beginning").expect("of some bytes");

    server.kill_sessions();
    let mut count = first.len();
    let error = loop {
        match in_time(bytes.next()).await {
            Some(Ok(chunk)) => count += chunk.len(),
            Some(Err(error)) => break error,
            None => panic!("{count} bytes were said to be all"),
        }
    };

    is_of(&error, FaultClass::Transient);
    assert!(place.bytes("a").await == Some(varied(8_000_000)));
}
