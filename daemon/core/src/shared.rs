//! Sorted maps and lists whose copies share what they have in common.
//!
//! A copy costs nothing, and a change to one of two copies what it changes: so
//! readers get all that is known at one moment, while it goes on changing (S5).

use std::borrow::Borrow;
use std::fmt;
use std::ops::{Bound, RangeBounds};

use rpds::{RedBlackTreeMapSync, VectorSync};
use serde::{Deserialize, Serialize};

/// A map in the order of its keys.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    transparent,
    bound(
        serialize = "K: Ord + Serialize, V: Serialize",
        deserialize = "K: Ord + Deserialize<'de>, V: Deserialize<'de>"
    )
)]
pub struct SharedMap<K: Ord, V>(RedBlackTreeMapSync<K, V>);

impl<K: Ord, V> SharedMap<K, V> {
    pub fn new() -> Self {
        Self(RedBlackTreeMapSync::new_sync())
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    pub fn get_key_value<Q: Ord + ?Sized>(&self, key: &Q) -> Option<(&K, &V)>
    where
        K: Borrow<Q>,
    {
        self.0.get_key_value(key)
    }

    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    pub fn len(&self) -> usize {
        self.0.size()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> + ExactSizeIterator {
        self.0.iter()
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    pub fn range<'a, Q, R>(&'a self, range: R) -> impl DoubleEndedIterator<Item = (&'a K, &'a V)>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized + 'a,
        R: RangeBounds<Q> + 'a,
    {
        self.0.range(range)
    }
}

/// Of a map by paths.
impl<K: Ord + Borrow<str>, V> SharedMap<K, V> {
    /// Whether anything lies below a folder.
    pub fn has_below(&self, folder: &str) -> bool {
        let first = format!("{folder}/");
        let bounds = (Bound::Included(first.as_str()), Bound::Unbounded);
        let next = self.range::<str, _>(bounds).next();
        next.is_some_and(|(path, _)| path.borrow().starts_with(&first))
    }

    /// Whether anything lies at a path or below it.
    pub fn has_within(&self, path: &str) -> bool {
        self.contains_key(path) || self.has_below(path)
    }
}

impl<K: Ord + Clone, V: Clone> SharedMap<K, V> {
    /// Gives what stood there before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let before = self.0.get(&key).cloned();
        self.0.insert_mut(key, value);
        before
    }

    /// Gives what stood there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let before = self.0.get(key).cloned()?;
        self.0.remove_mut(key);
        Some(before)
    }

    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.0.get_mut(key)
    }

    pub fn retain(&mut self, mut keeps: impl FnMut(&K, &V) -> bool) {
        let going: Vec<K> =
            self.iter().filter(|(key, value)| !keeps(key, value)).map(|(k, _)| k.clone()).collect();
        for key in going {
            self.0.remove_mut(&key);
        }
    }
}

impl<K: Ord, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for SharedMap<K, V> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SharedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// A list that grows at its end.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent, bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
pub struct SharedList<T>(VectorSync<T>);

impl<T> SharedList<T> {
    pub fn new() -> Self {
        Self(VectorSync::new_sync())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, at: usize) -> Option<&T> {
        self.0.get(at)
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.0.iter()
    }
}

impl<T: Clone> SharedList<T> {
    pub fn push(&mut self, item: T) {
        self.0.push_back_mut(item);
    }
}

impl<T> Default for SharedList<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for SharedList<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.iter()).finish()
    }
}

impl<T> FromIterator<T> for SharedList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_of_one_copy_leaves_the_other_as_it_was() {
        let mut map: SharedMap<u32, &str> = (0..100).map(|key| (key, "old")).collect();
        let before = map.clone();
        assert_eq!(map.insert(7, "new"), Some("old"));
        assert_eq!(map.remove(&8), Some("old"));
        assert_eq!(map.remove(&8), None);
        assert_eq!((before.get(&7), before.len()), (Some(&"old"), 100));
        assert_eq!((map.get(&7), map.len()), (Some(&"new"), 99));
        let mut list: SharedList<u32> = (0..3).collect();
        let before = list.clone();
        list.push(3);
        assert_eq!((before.len(), list.iter().copied().last()), (3, Some(3)));
    }

    #[test]
    fn map_is_in_order_and_ranges_are_of_it() {
        let map: SharedMap<u32, u32> =
            [5, 1, 9, 3].map(|key| (key, key * 10)).into_iter().collect();
        assert!(map.keys().eq([&1, &3, &5, &9]));
        assert!(map.range(2..=5).map(|(_, value)| *value).eq([30, 50]));
        assert!(map.values().rev().eq([&90, &50, &30, &10]));
    }

    #[test]
    fn json_is_that_of_an_ordinary_map_and_list() {
        let map: SharedMap<String, u32> =
            [("b".to_owned(), 2), ("a".to_owned(), 1)].into_iter().collect();
        let text = serde_json::to_string(&map).unwrap();
        assert_eq!(text, r#"{"a":1,"b":2}"#);
        assert_eq!(serde_json::from_str::<SharedMap<String, u32>>(&text).unwrap(), map);
        let list: SharedList<u32> = [1, 2].into_iter().collect();
        assert_eq!(serde_json::to_string(&list).unwrap(), "[1,2]");
    }
}
