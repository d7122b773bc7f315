//! The promises over many schedules, and each rule by what happens without it.

use mirror_simulation::plants::{can_plant, named};
use mirror_simulation::{find, hunt, run};

/// Schedules that every change has to stand.
const SCHEDULES: u64 = 2_000;

#[test]
fn no_schedule_breaks_a_promise() {
    let broken = std::sync::Mutex::new(Vec::new());
    hunt(0..SCHEDULES, 2, |outcome| {
        let words = format!("seed {}: {}", outcome.seed, outcome.findings.join("; "));
        broken.lock().unwrap().push(words);
    });
    let broken = broken.into_inner().unwrap();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn same_seed_gives_the_same_trace() {
    let digests = || (0..100).map(|seed| run(seed, None, false).digest).collect::<Vec<_>>();
    let here = digests();
    let there = std::thread::spawn(digests).join().unwrap();
    assert_eq!(here, there);
    assert!(here.windows(2).all(|pair| pair[0] != pair[1]), "each seed has a trace of its own");
}

#[test]
fn words_of_a_trace_change_nothing() {
    let told = run(7, None, true);
    assert_eq!(told.digest, run(7, None, false).digest);
    assert!(!told.lines.is_empty());
}

#[track_caller]
fn check(name: &str) {
    let rule = named(name).expect("a rule of that name");
    if !can_plant(rule) {
        println!("skipped: build with `--features plant` to take {name} away");
        return;
    }
    assert!(find(rule, 0..SCHEDULES, 1).is_some(), "the lack of {name} was not found");
}

/// One test a rule, so that a failure names it.
macro_rules! lack_is_found {
    ($($test:ident: $name:literal),* $(,)?) => {
        $(#[test] fn $test() { check($name); })*

        #[test]
        fn every_rule_has_a_test() {
            let tested = [$($name),*];
            let rules: Vec<&str> =
                mirror_simulation::plants::RULES.iter().map(|(name, _)| *name).collect();
            assert_eq!(rules, tested);
        }
    };
}

lack_is_found! {
    entry_over_another_is_found: "L1",
    removed_log_name_is_found: "L2",
    append_without_a_look_at_the_head_is_found: "L3",
    entry_known_by_its_machine_is_found: "L5",
    upload_whose_size_nobody_read_back_is_found: "L9",
    pack_named_by_content_is_found: "P1",
    pack_removed_after_its_append_was_sent_is_found: "P7",
    one_cursor_for_all_paths_is_found: "B1",
    content_that_came_back_unnoticed_is_found: "B2",
    unsaved_attempt_is_found: "B3",
    unsaved_target_is_found: "B3-target",
    unflushed_state_is_found: "B3-flush",
    merge_as_base_before_it_is_written_is_found: "B4",
    unknown_base_taken_for_the_head_is_found: "B5",
    replacing_without_a_look_is_found: "B9",
    removing_without_a_look_is_found: "B9-take",
    names_that_nobody_flushed_are_found: "B9-flush",
    trusting_a_young_index_entry_is_found: "B10",
    forgotten_merge_input_is_found: "M2",
    head_as_base_of_an_outside_edit_is_found: "V2",
    dropping_an_aside_without_a_look_is_found: "V3",
    revert_taken_for_a_late_projection_is_found: "V4",
    beginning_taken_for_torn_is_found: "V5",
    cancel_that_forgets_an_append_is_found: "S6",
}
