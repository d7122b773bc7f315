//! The machine's clock, randomness and threads.

use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread::available_parallelism;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mirror_core::Timestamp;

use crate::outside::{Clock, Entropy, Spawner};

/// The time of day as the system has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait::async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        Timestamp(match since_1970 {
            Ok(after) => milliseconds(after),
            Err(error) => -milliseconds(error.duration()),
        })
    }

    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Randomness from the system, good for names; not for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn bits(&self) -> u128 {
        // Each thread's keys come from the system, and no key is used twice.
        let half = || u128::from(RandomState::new().hash_one(SystemTime::now()));
        half() << 64 | half()
    }
}

/// Offloads to the blocking threads of the tokio runtime it is called in.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioSpawner;

#[async_trait::async_trait]
impl Spawner for TokioSpawner {
    async fn offload(&self, work: Box<dyn FnOnce() + Send>) {
        if let Err(error) = tokio::task::spawn_blocking(work).await
            && let Ok(panic) = error.try_into_panic()
        {
            // The job that asked for this work ends with it, and only that one.
            resume_unwind(panic);
        }
    }

    fn width(&self) -> usize {
        available_parallelism().map_or(1, NonZero::get)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::outside::Outside;

    fn outside() -> Outside {
        Outside::new(Arc::new(SystemClock), Arc::new(SystemEntropy), Arc::new(TokioSpawner))
    }

    #[test]
    fn names_never_repeat_on_any_thread() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..1_000).map(|_| outside().ulid()).collect()))
            .collect();
        let names: BTreeSet<_> =
            threads.into_iter().flat_map(|thread| -> Vec<_> { thread.join().unwrap() }).collect();
        assert_eq!(names.len(), 4_000);
    }

    #[test]
    fn bits_are_spread_over_the_whole_width() {
        let drawn: Vec<u128> = (0..64).map(|_| SystemEntropy.bits()).collect();
        assert_eq!(drawn.iter().fold(0, |all, bits| all | bits), u128::MAX);
        assert_eq!(drawn.iter().fold(u128::MAX, |all, bits| all & bits), 0);
    }

    #[tokio::test]
    async fn offloaded_work_gives_its_result() {
        assert_eq!(outside().offload(|| 6 * 7).await, 42);
        assert!(TokioSpawner.width() >= 1);
    }

    #[tokio::test]
    async fn panic_in_offloaded_work_reaches_the_job_that_asked() {
        let job = tokio::spawn(async { outside().offload(|| panic!("expected here")).await });
        assert!(job.await.unwrap_err().is_panic());
        assert_eq!(outside().offload(|| 1).await, 1);
    }
}
