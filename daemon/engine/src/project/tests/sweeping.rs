//! When a project has what cut-off uploads left on its backend removed (L9).

use super::*;

fn sweeps(laptop: &Machine) -> usize {
    laptop.backend.ended().iter().filter(|call| call.verb == "sweep").count()
}

#[tokio::test]
async fn backend_is_swept_once_a_day_and_never_at_the_start() {
    let world = World::new().await;
    let laptop = world.machine("laptop").await;
    laptop.writes("a.md", "milk");
    laptop.pushes().await;
    laptop.project().poll().await.unwrap();
    assert_eq!(sweeps(&laptop), 0, "it must not slow the first jobs down");

    for day in 1..4 {
        for _ in 0..12 {
            world.advance(Duration::from_hours(2));
            laptop.project().poll().await.unwrap();
        }
        assert_eq!(sweeps(&laptop), day);
    }
}

#[tokio::test]
async fn sweep_that_fails_stops_nothing() {
    let world = World::new().await;
    let (laptop, desktop) = (world.machine("laptop").await, world.machine("desktop").await);
    laptop.writes("a.md", "milk");
    laptop.pushes().await;
    laptop.backend.refuse(|verb, _| verb == "sweep");

    world.advance(Duration::from_hours(1));
    laptop.project().poll().await.unwrap();
    assert_eq!(sweeps(&laptop), 1);

    desktop.pulls().await;
    desktop.writes("a.md", "bread");
    desktop.pushes().await;
    assert!(laptop.project().poll().await.unwrap(), "the news arrive");
}
