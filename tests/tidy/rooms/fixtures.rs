//! What the reader must find, in crates of a few lines.

use super::circles::circles;
use super::edges::{Edges, edges};
use super::floors::Floors;
use super::modules::{Crate, Sources};

fn sources(files: &[(&str, &str)]) -> Sources {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

fn edges_of(files: &[(&str, &str)]) -> Edges {
    edges(&Crate::read("fixture", &sources(files)))
}

/// The edges as lines such as `a.rs -> b.rs by name`.
#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<String> = edges_of(files)
        .iter()
        .map(|((from, to), names)| {
            let names: Vec<&str> = names.keys().map(String::as_str).collect();
            format!("{from} -> {to} by {}", names.join(", "))
        })
        .collect();
    assert_eq!(found, expected);
}

const ROOT: (&str, &str) = ("lib.rs", "mod worker; mod first; mod second; mod third;");
const WORKER: (&str, &str) = ("worker.rs", "pub(crate) struct Worker;");

/// Three files with one method each, of which each calls the next.
const THREE: [(&str, &str); 5] = [
    ROOT,
    WORKER,
    ("first.rs", "impl crate::worker::Worker { pub fn begin(&self) { self.go_on(); } }"),
    ("second.rs", "impl crate::worker::Worker { pub fn go_on(&self) { self.end(); } }"),
    ("third.rs", "impl crate::worker::Worker { pub fn end(&self) { self.begin(); } }"),
];

#[test]
fn circle_of_three_by_method_calls_alone_is_found() {
    let found = circles(&edges_of(&THREE));
    assert_eq!(
        found,
        ["3 files in one circle:\n  first.rs -> second.rs by `.go_on()` (1)\n  \
          second.rs -> third.rs by `.end()` (1)\n  third.rs -> first.rs by `.begin()` (1)"]
    );
}

#[test]
fn circle_of_two_is_none() {
    let two = [
        ROOT,
        WORKER,
        ("first.rs", "impl crate::worker::Worker { pub fn begin(&self) { self.go_on(); } }"),
        ("second.rs", "impl crate::worker::Worker { pub fn go_on(&self) { self.begin(); } }"),
        ("third.rs", "impl crate::worker::Worker { pub fn end(&self) { self.begin(); } }"),
    ];
    assert_eq!(circles(&edges_of(&two)), Vec::<String>::new());
}

const FLOORS: &str = "lib.rs: high: low.rs low.rs:";

#[track_caller]
fn check_floors(high: &str, low: &str, expected: &[&str]) {
    let sources = sources(&[
        ("lib.rs", "mod high; mod low;"),
        ("high/mod.rs", "mod inner; pub use inner::Inner;"),
        ("high/inner.rs", high),
        ("low.rs", low),
    ]);
    let whole = Crate::read("fixture", &sources);
    assert_eq!(Floors::new(FLOORS).differences(&whole.files(), &edges(&whole)), expected);
}

#[test]
fn table_and_code_must_agree_in_both_ways() {
    let high = "use crate::low::Low; pub struct Inner(Low);";
    check_floors(high, "pub struct Low;", &[]);
    check_floors(
        high,
        "pub struct Low; fn up() { crate::high::Inner::new() }",
        &["low.rs may not name high:\n  low.rs -> high/inner.rs by `Inner` (1)"],
    );
    check_floors("pub struct Inner;", "", &["high names nothing in low.rs any more"]);
}

#[test]
fn re_export_is_no_way_around() {
    check(
        &[
            ("lib.rs", "mod room; mod user; mod beside;"),
            ("room/mod.rs", "mod inner; pub use inner::{Thing as Renamed, make};"),
            ("room/inner.rs", "pub struct Thing; pub fn make() {}"),
            ("user.rs", "use crate::room::{self, Renamed}; fn f(_: Renamed) { room::make() }"),
            ("beside.rs", "pub use crate::room::make;"),
        ],
        &["beside.rs -> room/inner.rs by make", "user.rs -> room/inner.rs by Thing, make"],
    );
}

#[test]
fn name_counts_however_it_is_written() {
    let user = "
        use crate::low::{self as below, Low as Deep};
        fn by_path() -> u8 { crate::low::COUNT }
        fn by_module() { below::make::<u8>(); }
        fn by_alias(_: Deep) {}
        fn inside() { use super::low::Low; }
    ";
    let low = "pub struct Low; pub const COUNT: u8 = 1; pub fn make<T>() {}";
    let expected = "user.rs -> low.rs by COUNT, Low, make";
    check(&[("lib.rs", "mod low; mod user;"), ("low.rs", low), ("user.rs", user)], &[expected]);
}

/// A type with one method in each of two files, and another with one of a name
/// that both have.
const SPREAD: [(&str, &str); 4] = [
    ("lib.rs", "mod spread; mod more; mod other; mod user;"),
    (
        "spread.rs",
        "use crate::other::Other; pub struct Spread { pub other: Other }
        impl Spread { pub fn both(&self) {} }",
    ),
    ("more.rs", "use crate::spread::Spread; impl Spread { pub fn lone(&self) {} }"),
    ("other.rs", "pub struct Other; impl Other { pub fn both(&self) {} pub fn get(&self) {} }"),
];

#[track_caller]
fn check_call(code: &str, expected: &[&str]) {
    let files = [SPREAD.as_slice(), &[("user.rs", code)]].concat();
    let found = edges_of(&files);
    let found: Vec<&String> = found
        .iter()
        .filter(|((from, _), _)| from == "user.rs")
        .flat_map(|(_, names)| names.keys().filter(|name| name.starts_with('.')))
        .collect();
    assert_eq!(found, expected, "{code}");
}

#[test]
fn method_is_told_by_its_types_or_else_by_its_name() {
    let spread = "use crate::spread::Spread;";
    check_call("fn f() { anything().lone(); }", &[".lone()"]);
    check_call("fn f() { macro!(anything().await?.lone::<u8>()); }", &[".lone()"]);
    check_call(&format!("{spread} fn f(one: &mut Spread) {{ one.both(); }}"), &[".both()"]);
    check_call(&format!("{spread} fn f(one: &Spread) {{ one.other.get(); }}"), &[".get()"]);
    check_call("fn f(map: Map) { map.lone(); }", &[]);
    check_call("fn f() { anything().both(); map().get(); }", &[]);
}

#[test]
fn tests_and_declarations_are_no_edges() {
    let root = "mod low; mod high; #[cfg(test)] mod tests;
        #[cfg(test)] use low::Low; impl High { #[cfg(test)] fn low() -> low::Low {} }";
    check(
        &[
            ("lib.rs", root),
            ("low.rs", "pub struct Low; #[cfg(test)] mod tests { use crate::high::High; }"),
            ("high.rs", "pub struct High; // crate::low::Low"),
            ("tests.rs", "use crate::low::Low;"),
        ],
        &[],
    );
}
