//! Time and chance as the layers need them, handed in so that tests never wait.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use ulid::Ulid;

/// A clock that only goes forward, pauses on it, and a source of chance.
#[async_trait]
pub trait Timer: Send + Sync {
    /// The time since some fixed moment.
    fn now(&self) -> Duration;

    async fn pause(&self, length: Duration);

    /// A number from 0 up to 1, another one each time.
    fn chance(&self) -> f64;
}

/// The machine's own clock and randomness.
#[derive(Debug)]
pub struct SystemTimer {
    start: Instant,
}

impl Default for SystemTimer {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

#[async_trait]
impl Timer for SystemTimer {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    async fn pause(&self, length: Duration) {
        tokio::time::sleep(length).await;
    }

    fn chance(&self) -> f64 {
        let [low, ..] = Ulid::generate().random().to_le_bytes();
        f64::from(low) / 256.0
    }
}
