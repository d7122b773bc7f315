//! Text from elsewhere in every field of every answer, and what is printed of it.
//!
//! The messages are filled by their wire format: a field that takes a string gets
//! the hostile one, whatever it is called, also one that is added later.

use jiff::Timestamp;
use mirror_proto::v1;
use prost::Message;
use serde_json::Value;

use super::escape::{harmless_json, is_hidden};
use super::paint::Paint;
use super::text::status::Detail;
use super::{json, text};

/// Controls, an OSC title, C1, overrides, zero width, tags, line ends; and no end.
fn hostile() -> String {
    let start = "x\u{1b}]0;t\u{7}\u{1b}[2J\u{9b}m\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}\r\n\u{85}\u{2028}\u{7f}";
    format!("{start}{}", "y".repeat(3_000))
}

fn varint(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
}

fn with_length(field: u64, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(field << 3 | 2, &mut bytes);
    varint(content.len() as u64, &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}

fn with_number(field: u64, number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(field << 3, &mut bytes);
    varint(number, &mut bytes);
    bytes
}

/// The bytes of a message with the hostile text in each field that takes it, and
/// `number` in each that takes a number. What `fits` refuses is another field's.
fn fill(number: u64, depth: usize, fits: &dyn Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut message = Vec::new();
    for field in 1..=200 {
        let text = with_length(field, hostile().as_bytes());
        let scalar = with_number(field, number);
        if fits(&text) {
            message.extend(text);
        } else if fits(&scalar) {
            message.extend(scalar);
        } else if depth > 0 {
            let within = |inner: &[u8]| fits(&with_length(field, inner));
            message.extend(with_length(field, &fill(number, depth - 1, &within)));
        }
    }
    message
}

fn filled<M: Message + Default>(number: u64) -> M {
    let bytes = fill(number, 4, &|bytes| M::decode(bytes).is_ok());
    M::decode(bytes.as_slice()).expect("each field fits")
}

/// Lines of a file's content are as long as they are; all others are bounded.
#[track_caller]
fn check_text(number: u64, shown: &str, has_content: bool) {
    let found = shown.chars().find(|letter| !matches!(letter, '\n' | '\t') && is_hidden(*letter));
    assert_eq!(found, None, "with {number}: {shown:?}");
    let longest = shown.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(has_content || longest < 12_000, "with {number}: a line of {longest}");
}

#[track_caller]
fn check_json(number: u64, document: &Value) {
    let shown = harmless_json(&format!("{document}\n"));
    assert_eq!(shown.trim_end().chars().find(|letter| is_hidden(*letter)), None, "{number}");
    assert_eq!(serde_json::from_str::<Value>(&shown).expect("still JSON"), *document);
}

#[test]
fn messages_are_filled_in_depth() {
    let job: v1::JobFinished = filled(1);
    assert_eq!(job.files[0].path, hostile());
    assert_eq!(job.failed[0].fault.as_ref().expect("a fault").message, hostile());
}

#[test]
fn no_text_for_people_obeys_what_stands_in_a_field() {
    let (plain, now) = (Paint::PLAIN, Timestamp::UNIX_EPOCH);
    for number in 0..=12 {
        let job: v1::JobFinished = filled(number);
        let fault: v1::Fault = filled(number);
        let findings = [filled::<v1::Finding>(number)];
        let proposal = text::install::Proposal {
            part: "hooks",
            purpose: &hostile(),
            file: Some(hostile()),
            diff: &hostile(),
        };
        let shown = [
            text::job::finished(&job, false, plain),
            text::conflict::resolved(&hostile(), "merged", &job, plain),
            text::conflict::list(&filled(number), now, plain),
            text::conflict::left(&[hostile()], plain),
            text::cancel::cancelled(&filled(number), plain),
            text::config::settings(&[filled(number)], plain),
            text::daemon::description(&filled(number), now, plain),
            text::fault::report(&fault, plain),
            text::fault::hint(&fault, plain),
            text::findings::report(&findings, plain),
            text::held::list(&filled(number), plain),
            text::held::rejected(&job),
            text::history::log(&filled(number), plain),
            text::install::proposal(&proposal, plain),
            text::install::settled(&proposal, &hostile(), plain),
            text::install::done(&hostile(), false, Some(&hostile())),
            text::history::versions(&filled(number), plain),
            text::project::list(&filled(number), plain),
            text::project::set_up(&filled(number), false, plain),
            text::project::paused(&filled(number), plain),
            text::project::next_steps(&filled(number)),
            text::fault::folders(&filled(number)),
            text::history::entry(&filled(number), plain),
            text::inbox::report(&filled(number), false, plain),
            text::agents::context(&[filled(number)], &filled(number)),
            text::agents::hint(&[filled(number)]),
            text::job::committed(&filled(number), plain),
            text::project::covered(&filled(number), plain),
            text::stash::list(&filled(number), plain),
            text::stash::queue(&filled(number), now, plain),
            text::stash::dropped(&filled(number)),
            text::stash::to_drop(&[filled(number)], plain).concat(),
            text::stash::dropped_versions(&[filled(number)]),
            text::stash::removed(&hostile(), &filled(number)),
            text::status::queue(&[filled(number)], now, plain),
        ];
        for text in shown {
            check_text(number, &text, false);
        }
        let status: v1::StatusReport = filled(number);
        for detail in [Detail::Short, Detail::Changes, Detail::Everything, Detail::Skipped] {
            check_text(number, &text::status::report(&status, detail, now, plain), false);
        }
        check_text(number, &text::diff::report(&filled(number), plain), true);
        check_text(number, &text::held::detail(&filled(number), plain), true);
        check_text(number, &text::conflict::whole(&filled(number), now, plain), true);
        check_text(number, &text::conflict::three_way(&filled(number), now, plain), true);
    }
}

#[test]
fn no_text_about_memories_obeys_what_stands_in_a_field() {
    for number in 0..=12 {
        check_text(number, &text::memory::list(&filled(number), Paint::PLAIN), false);
        check_text(number, &text::memory::mapped(&filled(number)), false);
        check_text(number, &text::memory::unmapped(&hostile(), &filled(number)), false);
    }
}

#[test]
fn no_line_that_is_told_as_it_happens_obeys_what_stands_in_a_field() {
    let plain = Paint::PLAIN;
    for number in 0..=12 {
        let shown = [
            text::history::changes(&filled(number), plain),
            text::prompt::line(&filled(number), text::prompt::Shape::Text, true),
            text::watch::event(&filled(number), text::watch::Detail::Whole, true, plain),
            text::watch::event(&filled(number), text::watch::Detail::Line, true, plain),
        ];
        for text in shown {
            check_text(number, &text, false);
        }
    }
}

#[test]
fn no_json_hides_what_stands_in_a_field() {
    for number in 0..=12 {
        let job: v1::JobFinished = filled(number);
        let fault: v1::Fault = filled(number);
        let documents = [
            json::job::finished(&job),
            json::conflict::list(&filled(number)),
            json::conflict::envelope(&filled(number)),
            json::conflict::refused(&hostile(), false, &fault),
            json::cancel::cancelled(&filled(number)),
            json::config::settings(&[filled(number)]),
            json::daemon::description(&filled(number)),
            json::findings::report(&[filled(number)]),
            json::held::list(&filled(number)),
            json::held::detail(&filled(number)),
            json::memory::list(&filled(number)),
            json::watch::event(&filled(number)),
            json::status::glance(&filled(number), &hostile()),
            json::memory::one(&filled(number)),
            json::memory::unmapped(&hostile(), &filled(number)),
            json::history::log(&filled(number)),
            json::history::versions(&filled(number)),
            json::inbox::report(&filled(number)),
            json::agents::hook(&hostile(), Some(&hostile()), &hostile(), &[hostile()])
                .expect("something to say"),
            json::project::list(&filled(number)),
            json::project::set_up(&filled(number)),
            json::project::paused(&filled(number)),
            json::stash::list(&filled(number)),
            json::status::report(&filled(number), true),
            json::status::diff(&filled(number)),
            json::conflict::resolved(&hostile(), "merged", &job),
            json::history::entry(&filled(number)),
            json::history::content(&filled(number), hostile().as_bytes()),
            json::kept::queue(&filled(number)),
            json::kept::push(&filled(number)),
            json::kept::dropped(&filled(number)),
            json::kept::removed(&filled(number)),
            json::kept::versions(&filled(number)),
            json::stash::list_of(&hostile(), &filled(number)),
            json::stash::dropped(&filled(number)),
            json::stash::content(&hostile(), hostile().as_bytes()),
            json::failure(Some("status"), &fault),
        ];
        for document in documents {
            check_json(number, &json::document("status", &document));
        }
    }
}

/// What prints nothing that came from elsewhere, or is a part of what is tried.
const NOT_TRIED: [&str; 4] = [
    "text::conflict::hint",
    "text::conflict::other_word",
    "text::watch::is_passing",
    "json::status::count_in",
];

/// Everything that prints an answer is tried above, also what is added later.
#[test]
fn every_answer_that_is_printed_is_tried() {
    let tried = include_str!("hostile.rs");
    for kind in ["text", "json"] {
        let folder = format!("{}/src/output/{kind}", env!("CARGO_MANIFEST_DIR"));
        for file in std::fs::read_dir(folder).expect("a folder") {
            let file = file.expect("a file").path();
            // What lies deeper is printed by the one above it.
            if file.is_dir() {
                continue;
            }
            let module = file.file_stem().expect("a name").to_string_lossy().into_owned();
            let source = std::fs::read_to_string(&file).expect("text");
            let functions = source.lines().filter_map(|line| line.strip_prefix("pub(crate) fn "));
            for function in functions.filter(|_| module != "mod") {
                let end = function.find(['(', '<']).expect("its arguments");
                let name = format!("{kind}::{module}::{}", &function[..end]);
                let is_tried = tried.contains(&format!("{name}(&"));
                assert!(is_tried || NOT_TRIED.contains(&name.as_str()), "{name} is not tried");
            }
        }
    }
}
