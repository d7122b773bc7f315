//! What stays true when many do the same thing at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use mirror_storage::{Expect, Guarded};

use super::place::Place;

pub(crate) async fn one_of_many_absent_writes_is_done(place: &Place) {
    for round in 0..20 {
        let name = format!("_mirror/log/0000000/{round}.json");
        let tasks = (0..8).map(|writer: u8| {
            let (place, name) = (place.clone(), name.clone());
            let content = vec![writer; 3000];
            let store = async move { place.store_if(&name, content, Expect::Absent).await };
            tokio::spawn(store)
        });
        let ends = join_all(tasks).await.into_iter().map(|end| end.expect("no panic"));
        let winners: Vec<u8> = (0..)
            .zip(ends)
            .filter(|(_, end)| matches!(end, Guarded::Done(_)))
            .map(|(writer, _)| writer)
            .collect();

        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let stands = place.bytes(&name).await.expect("somebody won");
        assert!(stands == vec![winners[0]; 3000], "round {round}");
    }
    assert_eq!(place.names("_mirror/tmp").await, [""; 0]);
}

pub(crate) async fn reader_never_sees_a_part_of_a_write(place: &Place) {
    const LEN: usize = 700_000;
    place.store("a", vec![0; LEN]).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let reader = {
        let (place, is_over) = (place.clone(), is_over.clone());
        tokio::spawn(async move {
            let mut reads = 0;
            while !is_over.load(Ordering::Relaxed) || reads == 0 {
                let bytes = place.bytes("a").await.expect("it is always there");
                assert!(bytes.len() == LEN && bytes.iter().all(|byte| *byte == bytes[0]));
                reads += 1;
            }
        })
    };

    for round in 1..40 {
        place.store("a", vec![round; LEN]).await;
    }
    is_over.store(true, Ordering::Relaxed);

    reader.await.expect("every read was whole");
}

/// Folders come and go with their files, under the feet of other writers.
pub(crate) async fn writers_and_removers_of_one_folder_do_not_disturb_each_other(place: &Place) {
    let tasks = (0..3).map(|writer| {
        let place = place.clone();
        tokio::spawn(async move {
            let name = format!("deep/folder/{writer}");
            for round in 0..200 {
                let stored = place.store_if(&name, round.to_string(), Expect::Absent).await;
                assert!(matches!(stored, Guarded::Done(_)));
                assert_eq!(place.content(&name).await, round.to_string());
                place.remove(&name).await;
            }
        })
    });

    for end in join_all(tasks).await {
        end.expect("nobody was disturbed");
    }
    place.holds_nothing().await;
}
