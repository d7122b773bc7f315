//! How many set-ups there are.

use tokio::sync::watch;

/// One of the set-ups that a stopping daemon waits for.
pub(super) struct Counted<'a>(&'a watch::Sender<usize>);

impl<'a> Counted<'a> {
    pub(super) fn among(set_ups: &'a watch::Sender<usize>) -> Self {
        set_ups.send_modify(|count| *count += 1);
        Self(set_ups)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
