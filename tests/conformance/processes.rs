//! Races real processes for the names of a log in one folder.
//!
//! Tasks of one process share its locks and caches; processes share the file
//! system alone, as daemons of several users do.

use std::env;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use mirror_storage::adapter::sftp::SftpConnection;
use mirror_storage::{Expect, Guarded};

use super::place::Place;
use crate::support::servers::sftp::{SftpServer, Variant, account_on};
use crate::support::{eventually, in_the_end};

const RACERS: u8 = 8;
const NAMES: usize = 40;
const LEN: usize = 50_000;

const FOLDER: &str = "MIRROR_RACE_FOLDER";
const SERVER: &str = "MIRROR_RACE_SERVER";
const STARTER: &str = "MIRROR_RACE_STARTER";
const RACER: &str = "MIRROR_RACE_RACER";

fn name(number: usize) -> String {
    format!("_mirror/log/0000000/{number:010}.json")
}

/// How a racer reaches the files.
#[derive(Clone, Copy)]
enum Lane<'a> {
    Folder,
    Server(&'a SftpServer),
}

#[tokio::test]
async fn one_of_eight_processes_creates_each_name() {
    race(&Place::local_folder(), &[Lane::Folder]).await;
}

#[tokio::test]
async fn one_of_eight_processes_creates_each_name_over_sftp() {
    for variant in [Variant::Stock, Variant::WithoutHardlinks] {
        let Some(server) = SftpServer::shared(variant) else { return };
        race(&Place::folder(&server.new_root()), &[Lane::Server(server)]).await;
    }
}

/// Some link, some rename a folder, some do without a server.
#[tokio::test]
async fn one_of_eight_processes_creates_each_name_however_it_writes() {
    let servers = [Variant::Stock, Variant::WithoutHardlinks].map(SftpServer::shared);
    let [Some(stock), Some(without)] = servers else { return };
    let lanes = [Lane::Server(stock), Lane::Server(without), Lane::Folder];
    race(&Place::folder(&stock.new_root()), &lanes).await;
}

async fn race(place: &Place, ways: &[Lane<'_>]) {
    let starter = TcpListener::bind("127.0.0.1:0").expect("a free port");
    starter.set_nonblocking(true).expect("a listener that can be asked");
    let address = starter.local_addr().expect("its own address").to_string();
    let ways = ways.iter().cycle();
    let children: Vec<_> =
        (0..RACERS).zip(ways).map(|(racer, way)| start(place, *way, &address, racer)).collect();

    let lanes: Vec<_> = children.iter().map(|_| accept(&starter)).collect();
    for mut lane in &lanes {
        lane.write_all(b"!").expect("the racer is there");
    }
    // Each racer answers with its number, then one byte for each name.
    let results: Vec<(u8, Vec<u8>)> = lanes.into_iter().map(result).collect();
    for mut child in children {
        assert!(child.wait().expect("a child of ours").success());
    }

    for number in 0..NAMES {
        let won = |(_, names): &&(u8, Vec<u8>)| names[number] == 1;
        let winners: Vec<u8> = results.iter().filter(won).map(|(racer, _)| *racer).collect();
        assert_eq!(winners.len(), 1, "{} was won by {winners:?}", name(number));
        let stands = place.bytes(&name(number)).await.expect("somebody won");
        assert!(stands == vec![winners[0]; LEN], "{}", name(number));
    }
    // A server may still be busy with what the losers brought.
    in_the_end("the names alone are left", async || place.names("_mirror").await.len() == NAMES)
        .await;
}

fn start(place: &Place, lane: Lane<'_>, address: &str, racer: u8) -> Child {
    let mut command = Command::new(env::current_exe().expect("the path of this test"));
    if let Lane::Server(server) = lane {
        let folder = server.folder().display();
        command.env(SERVER, format!("{} {} {folder}", server.user(), server.port()));
    }
    command
        .args(["--ignored", "--exact", "conformance::processes::racer"])
        .env(FOLDER, place.on_disk())
        .env(STARTER, address)
        .env(RACER, racer.to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("this test starts once more")
}

fn accept(starter: &TcpListener) -> TcpStream {
    let mut lane = None;
    eventually("every racer is there", || {
        lane = starter.accept().ok();
        lane.is_some()
    });
    lane.expect("it came").0
}

fn result(mut lane: TcpStream) -> (u8, Vec<u8>) {
    let mut answer = Vec::new();
    lane.read_to_end(&mut answer).expect("the racer answers");
    assert_eq!(answer.len(), NAMES + 1, "the racer finished");
    let names = answer.split_off(1);
    (answer[0], names)
}

/// The files as this racer reaches them, and the connection if there is one.
fn place_of_racer() -> (Place, Option<Arc<SftpConnection>>) {
    let root = env::var(FOLDER).expect("started by the race");
    let root = Path::new(&root);
    let Ok(server) = env::var(SERVER) else {
        return (Place::folder(root), None);
    };
    let words: Vec<&str> = server.splitn(3, ' ').collect();
    let port = words[1].parse().expect("a port");
    let account = account_on(Path::new(words[2]), words[0], port);
    let connection = Arc::new(SftpConnection::new(account));
    (Place::over(connection.clone(), root), Some(connection))
}

#[tokio::test]
#[ignore = "one of the processes that the race above starts"]
async fn racer() {
    let setting = |name| env::var(name).expect("started by the race");
    let number: u8 = setting(RACER).parse().expect("a number");
    let (place, connection) = place_of_racer();
    // Whoever has to connect first would always be late.
    assert_eq!(place.bytes("nothing").await, None);
    let mut lane = TcpStream::connect(setting(STARTER)).expect("the race is on");
    lane.read_exact(&mut [0]).expect("the start");

    let mut answer = vec![number];
    for name in (0..NAMES).map(name) {
        let end = place.store_if(&name, vec![number; LEN], Expect::Absent).await;
        answer.push(u8::from(matches!(end, Guarded::Done(_))));
    }
    if let Some(connection) = connection {
        connection.close().await;
    }
    lane.write_all(&answer).expect("the race still waits");
}
