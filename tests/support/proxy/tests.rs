//! The proxy does to bytes what it says, and nothing else.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use super::{Cut, Ending, Proxy, Way};

/// A client and a server that are connected through a proxy.
fn connected(prepare: impl FnOnce(&Proxy)) -> (Proxy, TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let proxy = Proxy::to(listener.local_addr().expect("an address").port());
    prepare(&proxy);
    let client = connect(&proxy);
    let server = listener.accept().expect("the proxy comes").0;
    (proxy, client, server)
}

fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).expect("the proxy listens")
}

fn read_all(mut side: &TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match side.read_to_end(&mut bytes) {
        Ok(_) => bytes,
        Err(error) => panic!("{error} after {} bytes", bytes.len()),
    }
}

#[test]
fn bytes_pass_both_ways_until_each_has_ended() {
    let (proxy, mut client, mut server) = connected(|_| ());
    let large = vec![7; 3_000_000];

    std::thread::scope(|scope| {
        scope.spawn(|| {
            client.write_all(&large).expect("sent");
            client.shutdown(std::net::Shutdown::Write).expect("the end is sent");
        });
        assert!(read_all(&server) == large);
    });
    server.write_all(b"thanks").expect("sent");
    drop(server);

    assert_eq!(read_all(&client), b"thanks");
    assert_eq!((proxy.carried(Way::Up), proxy.carried(Way::Down)), (3_000_000, 6));
    assert_eq!(proxy.connection_count(), 1);
}

#[test]
fn bytes_that_set_off_on_a_long_way_do_not_arrive_before() {
    let (proxy, mut client, mut server) = connected(|_| ());
    proxy.takes(Duration::from_hours(1), Duration::ZERO);

    client.write_all(b"late").expect("sent");
    for _ in 0..20 {
        server.write_all(b"soon").expect("sent");
        client.read_exact(&mut [0; 4]).expect("the way down is short");
    }

    server.set_nonblocking(true).expect("a look");
    let early = server.read(&mut [0; 4]);
    assert_eq!(early.map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
}

/// A hundred pieces set off at once, and are there before as many letters have
/// gone there and back less than half as often.
#[test]
fn delay_is_paid_once_however_much_is_on_its_way() {
    const PIECES: usize = 100;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let proxy = Proxy::to(listener.local_addr().expect("an address").port());
    let [(mut client, mut server), (mut asks, mut answers)] = [(); 2].map(|()| {
        let client = connect(&proxy);
        (client, listener.accept().expect("the proxy comes").0)
    });
    proxy.takes(Duration::from_millis(50), Duration::ZERO);
    let large = vec![1; PIECES << 16];

    std::thread::scope(|scope| {
        scope.spawn(|| client.write_all(&large).expect("sent"));
        scope.spawn(|| server.read_exact(&mut vec![0; PIECES << 16]).expect("all of it"));
        for _ in 0..PIECES * 2 / 5 {
            asks.write_all(b"?").expect("asked");
            answers.read_exact(&mut [0]).expect("the question");
            answers.write_all(b"!").expect("answered");
            asks.read_exact(&mut [0]).expect("the answer");
        }
        let arrived = proxy.carried(Way::Up);
        assert!(arrived >= large.len() as u64, "{arrived} bytes of {}", large.len());
    });
}

#[test]
fn silent_cut_tells_nobody_and_spares_the_next_connection() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let proxy = Proxy::to(listener.local_addr().expect("an address").port());
    let accepted = || listener.accept().expect("the proxy comes").0;
    let (mut client, mut server) = (connect(&proxy), accepted());
    proxy.cuts_after(Cut { after: 5, way: None, ending: Ending::Silence, lasts: false });

    client.write_all(b"hello, nobody").expect("sent");
    server.read_exact(&mut [0; 5]).expect("so much arrives");
    client.write_all(b"still there?").expect("nobody told the client");
    let (mut next, mut there) = (connect(&proxy), accepted());
    next.write_all(b"hello").expect("sent");
    there.read_exact(&mut [0; 5]).expect("the line is good");

    server.set_nonblocking(true).expect("a look");
    let told = server.read(&mut [0; 1]);
    assert_eq!(told.map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
}

#[test]
fn cut_lets_exactly_so_many_bytes_through() {
    for way in [None, Some(Way::Up)] {
        let (proxy, mut client, server) = connected(|_| ());
        proxy.cuts_after(Cut { after: 1234, way, ending: Ending::Close, lasts: false });

        client.write_all(&[1; 1000]).expect("sent");
        client.write_all(&[2; 1000]).expect("sent");

        assert_eq!(read_all(&server).len(), 1234);
        assert!(proxy.was_cut());
    }
}

#[test]
fn cut_counts_only_the_way_it_was_asked_for() {
    let (proxy, mut client, mut server) = connected(|_| ());
    let cut = Cut { after: 10, way: Some(Way::Down), ending: Ending::Reset, lasts: true };
    proxy.cuts_after(cut);

    client.write_all(&[1; 1000]).expect("sent");
    server.read_exact(&mut [0; 1000]).expect("nothing was cut");
    assert!(!proxy.was_cut());

    proxy.cuts_after(cut);
    server.write_all(&[1; 11]).expect("sent");
    let end = client.read_to_end(&mut Vec::new());
    assert_eq!(end.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    let end = connect(&proxy).read(&mut [0]);
    assert_eq!(end.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
}

#[test]
fn swallowed_bytes_arrive_when_the_line_is_back() {
    let (proxy, mut client, mut server) = connected(|_| ());
    proxy.swallows();

    client.write_all(b"hello").expect("sent");
    server.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out");
    let early = server.read_exact(&mut [0; 5]);
    assert_eq!(early.map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));

    proxy.plug_in();
    server.set_read_timeout(None).expect("no time-out");
    server.read_exact(&mut [0; 5]).expect("it arrives after all");
}

#[test]
fn unplugged_line_resets_old_and_new_connections() {
    let (proxy, client, _server) = connected(|_| ());
    proxy.unplug();

    for mut client in [client, connect(&proxy)] {
        let end = client.read(&mut [0]);
        assert_eq!(end.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    }
}
