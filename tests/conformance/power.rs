//! What is there after the power of a service was cut.

use mirror_storage::{Body, Expect};

use super::place::{Place, new_file};

const OURS: [&str; 3] =
    ["_mirror/log/0000000/0000000001.json", "_mirror/packs/7Q/7Q.zip", "_mirror/machines/m.json"];

pub(crate) async fn what_is_ours_survives_a_power_cut(place: &Place) {
    for at in OURS {
        place.store(at, at).await;
    }

    place.cut_power();

    for at in OURS {
        assert_eq!(place.content(at).await, at);
    }
}

pub(crate) async fn view_survives_a_power_cut_as_far_as_it_is_said(place: &Place) {
    place.store("notes.md", "whole").await;

    place.cut_power();

    let is_whole = place.content("notes.md").await == "whole";
    assert_eq!(is_whole, place.backend().capabilities().flushed_view);
}

pub(crate) async fn files_stored_together_survive_a_power_cut(place: &Place) {
    let names = ["a", "b/c", "_mirror/packs/7Q/7Q.zip"];
    let files = names.map(|at| (new_file(at, Expect::Anything), Body::from(at)));
    place.store_many(files.into()).await;

    place.cut_power();

    for at in names {
        assert_eq!(place.content(at).await, at);
    }
}
