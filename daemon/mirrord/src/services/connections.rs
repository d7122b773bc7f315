//! Connections that are in use: whoever opens another folder of an account
//! shares the connection that it has, which ends with the last of them.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

type Shared = dyn Any + Send + Sync;

#[derive(Default)]
pub(crate) struct Connections(Mutex<Vec<(Box<Shared>, Weak<Shared>)>>);

impl Connections {
    /// The connection of an account: the one in use, or else a new one.
    pub(crate) fn of<A, C>(&self, account: &A, connect: impl FnOnce(A) -> C) -> Arc<C>
    where
        A: Clone + Eq + Send + Sync + 'static,
        C: Send + Sync + 'static,
    {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, connection)| connection.strong_count() > 0);
        let used = known.iter().filter(|(other, _)| other.downcast_ref() == Some(account));
        let mut shared = used.filter_map(|(_, connection)| connection.upgrade()?.downcast().ok());
        if let Some(connection) = shared.next() {
            return connection;
        }
        let connection = Arc::new(connect(account.clone()));
        let in_use: Weak<C> = Arc::downgrade(&connection);
        known.push((Box::new(account.clone()), in_use));
        connection
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Connections")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_of_an_account_is_shared_until_the_last_is_gone() {
        let connections = Connections::default();
        let of = |account: &'static str| connections.of(&account, str::to_owned);
        let first = of("ann");
        let second = of("ann");
        assert!(Arc::ptr_eq(&first, &second));
        assert!(!Arc::ptr_eq(&first, &of("bob")));

        drop(first);
        let gone = Arc::downgrade(&second);
        drop(second);

        assert!(gone.upgrade().is_none());
        let _new = of("ann");
        assert_eq!(connections.0.lock().unwrap().len(), 1);
    }

    #[test]
    fn accounts_of_two_kinds_are_two() {
        let connections = Connections::default();
        let number = connections.of(&1_u32, |account| account);
        let other = connections.of(&1_u64, |account| account);
        assert_eq!(u64::from(*number), *other);
        assert_eq!(connections.0.lock().unwrap().len(), 2);
    }
}
