//! What a server may say to us, cut down to what the library can take.
//!
//! The library below us gives up on the whole connection over one name that is
//! not UTF-8, a kind of file it has never heard of or a status without its
//! text, and trusts every length it is told. So each packet passes here first:
//! whole, of a sane length, without such names. Texts of the server stop here
//! too: they could hold anything.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};

/// No server sends more at once: we never ask for more than 256 KiB.
const LONGEST: usize = 1024 * 1024;

/// As SFTP has it.
const LONGEST_HANDLE: usize = 256;

const VERSION: u8 = 2;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;
const EXTENDED_REPLY: u8 = 201;

const HAS_SIZE: u32 = 0x1;
const HAS_OWNER: u32 = 0x2;
const HAS_MODE: u32 = 0x4;
const HAS_TIMES: u32 = 0x8;
const HAS_MORE: u32 = 0x8000_0000;

const KIND: u32 = 0o170_000;
const SOCKET: u32 = 0o140_000;

/// A packet that can be passed on, and the names that were left out of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sanitized {
    pub(super) packet: Bytes,
    pub(super) skipped: Vec<Vec<u8>>,
}

/// Takes the first packet off `arrived`, with its length; `None` until it is
/// there as a whole.
pub(super) fn take_packet(arrived: &mut BytesMut) -> io::Result<Option<Bytes>> {
    let Some(head) = arrived.first_chunk::<4>() else {
        return Ok(None);
    };
    let len = usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX);
    // A text that a shell writes reads as a length of hundreds of megabytes.
    if !(5..=LONGEST).contains(&len) {
        return Err(not_ours());
    }
    Ok((arrived.len() >= 4 + len).then(|| arrived.split_to(4 + len).freeze()))
}

/// Makes a packet fit for the library.
pub(super) fn sanitize(packet: Bytes) -> io::Result<Sanitized> {
    let (kind, body) = (packet[4], &packet[5..]);
    let rebuilt = match kind {
        STATUS => Some((status(body).ok_or_else(not_ours)?, Vec::new())),
        VERSION => unchanged_if(greeting(body))?,
        HANDLE => unchanged_if(handle(body))?,
        DATA => unchanged_if(data(body))?,
        // Numbers of a known size, for which the library looks by itself.
        EXTENDED_REPLY => None,
        NAME => Some(names(body).ok_or_else(not_ours)?),
        ATTRS => Some((attributes(body).ok_or_else(not_ours)?, Vec::new())),
        _ => return Err(not_ours()),
    };
    Ok(match rebuilt {
        None => Sanitized { packet, skipped: Vec::new() },
        Some((body, skipped)) => Sanitized { packet: framed(kind, &body), skipped },
    })
}

/// Whether this is what a server says first.
pub(super) fn is_greeting(packet: &[u8]) -> bool {
    packet.get(4) == Some(&VERSION)
}

/// What tells a request, and the answer to it, from others. Greetings have
/// their version there, the same both ways.
pub(super) fn id_of(packet: &[u8]) -> u32 {
    let id = packet.get(5..9).and_then(|id| id.try_into().ok());
    id.map_or(0, u32::from_be_bytes)
}

pub(super) fn not_ours() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is not the SFTP protocol")
}

fn framed(kind: u8, body: &[u8]) -> Bytes {
    let mut packet = BytesMut::with_capacity(5 + body.len());
    packet.put_u32(u32::try_from(body.len() + 1).expect("no longer than what arrived"));
    packet.put_u8(kind);
    packet.put_slice(body);
    packet.freeze()
}

/// A status with its number alone; two of the numbers a server must not send.
fn status(body: &[u8]) -> Option<Vec<u8>> {
    let mut fields = Fields(body);
    let (id, code) = (fields.number()?, fields.number()?);
    let code = if matches!(code, 6 | 7) { 4 } else { code };
    let mut plain = Vec::with_capacity(16);
    for number in [id, code, 0, 0] {
        plain.put_u32(number);
    }
    Some(plain)
}

/// For a packet that is fit as it is, if its lengths fit.
fn unchanged_if<T>(fits: Option<()>) -> io::Result<Option<T>> {
    fits.map(|()| None).ok_or_else(not_ours)
}

fn greeting(body: &[u8]) -> Option<()> {
    let mut fields = Fields(body);
    fields.number()?;
    while !fields.0.is_empty() {
        let (_extension, _version) = (fields.text()?, fields.text()?);
    }
    Some(())
}

fn handle(body: &[u8]) -> Option<()> {
    let mut fields = Fields(body);
    fields.number()?;
    let is_short = fields.text()?.len() <= LONGEST_HANDLE;
    (is_short && fields.0.is_empty()).then_some(())
}

fn data(body: &[u8]) -> Option<()> {
    let mut fields = Fields(body);
    fields.number()?;
    fields.text()?;
    fields.0.is_empty().then_some(())
}

fn attributes(body: &[u8]) -> Option<Vec<u8>> {
    let mut fields = Fields(body);
    let id = fields.number()?;
    let attributes = fields.attributes()?;
    let mut plain = Vec::with_capacity(body.len());
    plain.put_u32(id);
    plain.put_slice(&attributes);
    Some(plain)
}

/// The names that are UTF-8, `.` where there is none, and those that are not.
type Names = (Vec<u8>, Vec<Vec<u8>>);

fn names(body: &[u8]) -> Option<Names> {
    let mut fields = Fields(body);
    let (id, count) = (fields.number()?, fields.number()?);
    let (mut plain, mut kept, mut skipped) = (Vec::with_capacity(body.len() + 20), 0, Vec::new());
    plain.put_u32(id);
    plain.put_u32(0);
    for _ in 0..count {
        let (name, _long_name) = (fields.text()?, fields.text()?);
        let attributes = fields.attributes()?;
        if std::str::from_utf8(name).is_err() {
            skipped.push(name.to_owned());
            continue;
        }
        kept += 1;
        plain.put_u32(u32::try_from(name.len()).ok()?);
        plain.put_slice(name);
        plain.put_u32(0);
        plain.put_slice(&attributes);
    }
    if kept == 0 && !skipped.is_empty() {
        // A part without a name would pass for the end of the listing.
        kept = 1;
        plain.put_u32(1);
        plain.put_slice(b".");
        plain.put_u64(0);
    }
    plain[4..8].copy_from_slice(&u32::to_be_bytes(kept));
    Some((plain, skipped))
}

/// The fields of a packet that were not read yet.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let len = self.number()?;
        self.take(usize::try_from(len).ok()?)
    }

    /// Attributes without extensions, and without kinds of files that only one
    /// system has: those read as a socket, which doesn't exist for us either.
    fn attributes(&mut self) -> Option<Vec<u8>> {
        let flags = self.number()?;
        let mut plain = Vec::with_capacity(32);
        plain.put_u32(flags & (HAS_SIZE | HAS_OWNER | HAS_MODE | HAS_TIMES));
        for (flag, len) in [(HAS_SIZE, 8), (HAS_OWNER, 8)] {
            if flags & flag != 0 {
                plain.put_slice(self.take(len)?);
            }
        }
        if flags & HAS_MODE != 0 {
            plain.put_u32(known_kind(self.number()?));
        }
        if flags & HAS_TIMES != 0 {
            plain.put_slice(self.take(8)?);
        }
        if flags & HAS_MORE != 0 {
            for _ in 0..self.number()? {
                self.text()?;
                self.text()?;
            }
        }
        Some(plain)
    }
}

fn known_kind(mode: u32) -> u32 {
    match (mode & KIND) >> 12 {
        0 | 1 | 2 | 4 | 6 | 8 | 10 | 12 => mode,
        _ => (mode & !KIND) | SOCKET,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: u32 = 0o100_644;

    fn text(out: &mut Vec<u8>, text: &[u8]) {
        out.put_u32(u32::try_from(text.len()).expect("short"));
        out.put_slice(text);
    }

    fn attributes(out: &mut Vec<u8>, mode: u32) {
        out.put_u32(HAS_SIZE | HAS_MODE);
        out.put_u64(7);
        out.put_u32(mode);
    }

    /// A listing as a server sends it.
    fn listing(names: &[&[u8]], long_name: &[u8], mode: u32) -> Bytes {
        let mut body = Vec::new();
        body.put_u32(3);
        body.put_u32(u32::try_from(names.len()).expect("few"));
        for name in names {
            text(&mut body, name);
            text(&mut body, long_name);
            attributes(&mut body, mode);
        }
        framed(NAME, &body)
    }

    #[test]
    fn name_that_is_not_text_is_left_out_and_told() {
        let sent = listing(&[b"a", b"caf\xe9", "caf\u{e9}".as_bytes()], b"-rw", FILE);

        let sanitized = sanitize(sent).expect("a listing");

        assert_eq!(sanitized.packet, listing(&[b"a", "caf\u{e9}".as_bytes()], b"", FILE));
        assert_eq!(sanitized.skipped, [b"caf\xe9".to_vec()]);
    }

    /// An empty part of a listing would pass for its end.
    #[test]
    fn part_of_a_listing_without_a_name_that_is_text_is_not_empty() {
        let sanitized =
            sanitize(listing(&[b"caf\xe9", b"th\xe9"], b"-rw", FILE)).expect("a listing");

        let mut body = Vec::new();
        body.put_u32(3);
        body.put_u32(1);
        for name in [b".".as_slice(), b""] {
            text(&mut body, name);
        }
        body.put_u32(0);
        assert_eq!(sanitized.packet, framed(NAME, &body));
        assert_eq!(sanitized.skipped.len(), 2);
    }

    #[test]
    fn empty_part_of_a_listing_stays_empty() {
        let empty = listing(&[], b"", FILE);

        assert_eq!(sanitize(empty.clone()).expect("a listing").packet, empty);
    }

    #[test]
    fn kind_of_file_that_only_one_system_has_is_special() {
        let door = 0o150_644;

        let sanitized = sanitize(listing(&[b"door"], b"", door)).expect("a listing");

        assert_eq!(sanitized.packet, listing(&[b"door"], b"", SOCKET | 0o644));
    }

    #[test]
    fn status_comes_without_the_servers_words() {
        let status = |code: u32, words: &[&[u8]]| {
            let mut body = Vec::new();
            body.put_u32(9);
            body.put_u32(code);
            for words in words {
                text(&mut body, words);
            }
            framed(STATUS, &body)
        };
        let plain = |code| status(code, &[b"", b""]);

        assert_eq!(sanitize(status(4, &[b"no /home/ann", b"en"])).expect("it").packet, plain(4));
        assert_eq!(sanitize(status(0, &[])).expect("it").packet, plain(0));
        assert_eq!(sanitize(status(7, &[b""])).expect("it").packet, plain(4));
    }

    #[test]
    fn packet_is_taken_when_all_of_it_is_there() {
        let whole = listing(&[b"a"], b"", FILE);
        let mut arrived = BytesMut::new();
        for byte in &whole {
            assert_eq!(take_packet(&mut arrived).expect("a packet"), None);
            arrived.put_u8(*byte);
        }

        assert_eq!(take_packet(&mut arrived).expect("a packet"), Some(whole));
        assert!(arrived.is_empty());
    }

    #[test]
    fn text_of_a_shell_is_no_packet() {
        for noise in ["Welcome to nas!\n", "\n\n\n\n", "\0\0\0\u{1}x"] {
            assert!(take_packet(&mut BytesMut::from(noise)).is_err(), "{noise:?}");
        }
    }

    #[test]
    fn packet_whose_lengths_do_not_fit_is_refused() {
        let whole = listing(&[b"a", b"b"], b"long", FILE);
        for len in 6..whole.len() {
            let cut = framed(NAME, &whole[5..len]);
            assert!(sanitize(cut).is_err(), "cut at {len}");
        }
        assert!(sanitize(framed(DATA, &[0, 0, 0, 1, 0, 0, 0, 9, 1])).is_err());
        assert!(sanitize(framed(STATUS, &[0, 0, 0, 1])).is_err());
    }

    #[test]
    fn greeting_and_handle_whose_lengths_do_not_fit_are_refused() {
        let whole = |kind, head: &[u8], texts: &[&[u8]]| {
            let mut body = head.to_vec();
            for one in texts {
                text(&mut body, one);
            }
            framed(kind, &body)
        };
        let greeting = whole(VERSION, &[0, 0, 0, 3], &[b"fsync@openssh.com", b"1"]);
        let handle = whole(HANDLE, &[0, 0, 0, 7], &[b"four"]);
        for (kind, whole) in [(VERSION, greeting), (HANDLE, handle)] {
            assert_eq!(sanitize(whole.clone()).expect("it fits").packet, whole);
            for len in 10..whole.len() {
                assert!(sanitize(framed(kind, &whole[5..len])).is_err(), "{kind} cut at {len}");
            }
        }
        assert!(sanitize(whole(HANDLE, &[0, 0, 0, 7], &[&[0; 257]])).is_err());
        assert!(sanitize(whole(HANDLE, &[0, 0, 0, 7], &[b"four", b"more"])).is_err());
        assert!(sanitize(framed(VERSION, &[0, 0, 0, 3])).is_ok());
    }

    #[test]
    fn packet_of_a_kind_that_is_no_answer_is_refused() {
        assert!(sanitize(framed(1, &[0, 0, 0, 3])).is_err());
        let reply = framed(EXTENDED_REPLY, &[0, 0, 0, 3, 1, 2, 3]);
        assert_eq!(sanitize(reply.clone()).expect("numbers of some sort").packet, reply);
    }
}
