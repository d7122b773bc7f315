//! Races real processes for the names of a log in one folder.
//!
//! Tasks of one process share its locks and caches; processes share the file
//! system alone, as daemons of several users do.

use std::env;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use mirror_storage::adapter::FolderBackend;
use mirror_storage::{Backend, Expect, Guarded};

use super::place::{Place, path};

const RACERS: u8 = 8;
const NAMES: usize = 40;
const LEN: usize = 50_000;

const FOLDER: &str = "MIRROR_RACE_FOLDER";
const STARTER: &str = "MIRROR_RACE_STARTER";
const RACER: &str = "MIRROR_RACE_RACER";

fn name(number: usize) -> String {
    format!("_mirror/log/0000000/{number:010}.json")
}

#[tokio::test]
async fn one_of_eight_processes_creates_each_name() {
    let place = Place::local_folder();
    let starter = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = starter.local_addr().expect("its own address").to_string();
    let children: Vec<_> = (0..RACERS).map(|racer| start(&place, &address, racer)).collect();

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
    assert_eq!(place.names("_mirror").await.len(), NAMES);
}

fn start(place: &Place, address: &str, racer: u8) -> Child {
    Command::new(env::current_exe().expect("the path of this test"))
        .args(["--ignored", "--exact", "conformance::processes::racer"])
        .env(FOLDER, place.on_disk())
        .env(STARTER, address)
        .env(RACER, racer.to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("this test starts once more")
}

fn accept(starter: &TcpListener) -> TcpStream {
    starter.accept().expect("a racer comes").0
}

fn result(mut lane: TcpStream) -> (u8, Vec<u8>) {
    let mut answer = Vec::new();
    lane.read_to_end(&mut answer).expect("the racer answers");
    assert_eq!(answer.len(), NAMES + 1, "the racer finished");
    let names = answer.split_off(1);
    (answer[0], names)
}

#[tokio::test]
#[ignore = "one of the processes that the race above starts"]
async fn racer() {
    let setting = |name| env::var(name).expect("started by the race");
    let number: u8 = setting(RACER).parse().expect("a number");
    let backend = FolderBackend::open(setting(FOLDER).into());
    let mut lane = TcpStream::connect(setting(STARTER)).expect("the race is on");
    lane.read_exact(&mut [0]).expect("the start");

    let mut answer = vec![number];
    for name in (0..NAMES).map(name) {
        let content = vec![number; LEN].into();
        let end = backend.write(&path(&name), content, Expect::Absent).await;
        answer.push(u8::from(matches!(end.expect("a race"), Guarded::Done(_))));
    }
    lane.write_all(&answer).expect("the race still waits");
}
