//! Panics on this thread: each is a finding, however well it was caught.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static WATCHED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Gathers the panics of this thread instead of printing them.
pub(crate) fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if WATCHED.get() {
                SEEN.with_borrow_mut(|seen| seen.push(panic.to_string()));
            } else {
                before(panic);
            }
        }));
    });
    WATCHED.set(true);
}

pub(crate) fn unwatch() {
    WATCHED.set(false);
}

pub(crate) fn taken() -> Vec<String> {
    SEEN.with_borrow_mut(std::mem::take)
}

/// What a lock holds, also after a panic, which is a finding already.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
