//! Steps that change something, and what holds them in hand while they run.

pub(super) mod cancel;
pub(super) mod conflicts;
pub(super) mod held;
pub(super) mod run;
pub(super) mod running;
pub(super) mod sync;
