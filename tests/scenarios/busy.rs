//! Whoever asks while a job runs is answered by what is known, and hears of it.

use serde_json::Value;

use super::cancelling::{TRIES, bytes_on, is_uploading, saves_much};
use crate::support::World;

#[test]
fn status_beside_a_push_says_how_far_it_has_come() {
    let world = World::new();
    let laptop = world.first_machine("laptop", &[("a.md", "a\n")]);
    for round in 0..TRIES {
        saves_much(&laptop, round);
        let before = bytes_on(&world);
        let mut push = laptop.starts(&["push"]);
        is_uploading(&world, &mut push, before);
        let status = laptop.asks(&["status", "--offline"]);
        let text = laptop.runs(&["status", "--offline"]).exits(0).stdout;
        let was_running = !push.has_ended();
        push.ends().exits(0);
        if !was_running {
            continue;
        }
        let job = &status["job"];
        assert_eq!((&status["state"], &job["kind"]), (&"busy".into(), &"push".into()));
        assert!(job["phase"].as_str().is_some_and(|phase| !phase.is_empty()), "{job}");
        assert!(text.contains("busy: push"), "{text}");
        assert_eq!(laptop.asks(&["status"])["job"], Value::Null);
        return;
    }
    panic!("every push was faster");
}
