//! An ordered map whose copies share what they have in common.
//!
//! Readers hold the cluster's image while the next one is made. A plain `BTreeMap` would be copied whole for each
//! change; this one is a list of short sorted leaves, of which a change copies one, and the list of the leaves' pointers:
//! for 10,000 topics that is 64 entries and some 200 pointers. When nobody holds a copy, nothing is copied.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// A full leaf is split. Short enough to copy in a microsecond, long enough that the list of leaves is short as well.
const LEAF_MAX: usize = 64;

/// A sorted map; cloning it copies one pointer.
pub struct OrderedMap<K, V> {
    /// Sorted; no leaf is empty.
    leaves: Arc<Vec<Leaf<K, V>>>,
    length: usize,
}

type Leaf<K, V> = Arc<Vec<(K, V)>>;

impl<K, V> OrderedMap<K, V> {
    /// A map of nothing.
    pub fn new() -> Self {
        OrderedMap { leaves: Arc::new(Vec::new()), length: 0 }
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.leaves.iter().flat_map(|leaf| leaf.iter()).map(|(key, value)| (key, value))
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The entry with the smallest key.
    pub fn first(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }
}

impl<K: Ord + Clone, V: Clone> OrderedMap<K, V> {
    /// The value of a key.
    pub fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let leaf = self.leaves.get(self.leaf_for(key)?)?;
        let place = leaf.binary_search_by(|(other, _)| other.borrow().cmp(key)).ok()?;
        Some(&leaf[place].1)
    }

    /// The value of a key, to change. Copies what is shared on the way to it.
    pub fn find_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let at = self.leaf_for(key)?;
        let place = self.leaves[at].binary_search_by(|(other, _)| other.borrow().cmp(key)).ok()?;
        let leaf = Arc::make_mut(&mut Arc::make_mut(&mut self.leaves)[at]);
        Some(&mut leaf[place].1)
    }

    /// The entries from a key on.
    pub fn from<Q: Ord + ?Sized>(&self, key: &Q) -> impl Iterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
    {
        let at = self.leaf_for(key).unwrap_or(0);
        let leaves = self.leaves.get(at..).unwrap_or_default();
        let skipped = leaves.first().map_or(0, |leaf| leaf.partition_point(|(other, _)| other.borrow() < key));
        leaves.iter().flat_map(|leaf| leaf.iter()).skip(skipped).map(|(key, value)| (key, value))
    }

    /// Puts a value in; gives back the one that was there under that key.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let leaves = Arc::make_mut(&mut self.leaves);
        let at = leaves.partition_point(|leaf| leaf[0].0 <= key).saturating_sub(1);
        let Some(leaf) = leaves.get_mut(at) else {
            leaves.push(Arc::new(vec![(key, value)]));
            self.length += 1;
            return None;
        };
        let place = match leaf.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(place) => return Some(std::mem::replace(&mut Arc::make_mut(leaf)[place].1, value)),
            Err(place) => place,
        };
        self.length += 1;
        if leaf.len() < LEAF_MAX {
            Arc::make_mut(leaf).insert(place, (key, value));
        } else if place == LEAF_MAX {
            // Keys that come in order leave full leaves behind, not half full ones.
            leaves.insert(at + 1, Arc::new(vec![(key, value)]));
        } else {
            let leaf = Arc::make_mut(leaf);
            let mut upper = leaf.split_off(LEAF_MAX / 2);
            match place.checked_sub(LEAF_MAX / 2) {
                Some(place) => upper.insert(place, (key, value)),
                None => leaf.insert(place, (key, value)),
            }
            leaves.insert(at + 1, Arc::new(upper));
        }
        None
    }

    /// Takes an entry out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.leaf_for(key)?;
        let place = self.leaves[at].binary_search_by(|(other, _)| other.borrow().cmp(key)).ok()?;
        let leaves = Arc::make_mut(&mut self.leaves);
        let leaf = Arc::make_mut(&mut leaves[at]);
        let (_, value) = leaf.remove(place);
        self.length -= 1;
        let left = leaf.len();
        let next = leaves.get(at + 1).map(|next| next.len());
        if left == 0 {
            leaves.remove(at);
        } else if next.is_some_and(|next| left + next <= LEAF_MAX / 2) {
            // Short neighbours become one, so that the list stays in proportion to what is in it.
            let next = leaves.remove(at + 1);
            Arc::make_mut(&mut leaves[at]).extend(next.iter().cloned());
        }
        Some(value)
    }

    /// The leaf where a key is, if it is anywhere.
    fn leaf_for<Q: Ord + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        self.leaves.partition_point(|leaf| leaf[0].0.borrow() <= key).checked_sub(1)
    }
}

impl<K, V> Clone for OrderedMap<K, V> {
    fn clone(&self) -> Self {
        OrderedMap { leaves: self.leaves.clone(), length: self.length }
    }
}

impl<K, V> Default for OrderedMap<K, V> {
    fn default() -> Self {
        OrderedMap::new()
    }
}

/// Equal when the entries are, however they came to lie in leaves.
impl<K: PartialEq, V: PartialEq> PartialEq for OrderedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.length == other.length && self.iter().eq(other.iter())
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for OrderedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn shape<V>(map: &OrderedMap<u16, V>) -> Vec<usize> {
        map.leaves.iter().map(|leaf| leaf.len()).collect()
    }

    proptest! {
        /// Whatever is done to it, it holds what a `BTreeMap` would; and a copy taken at any time doesn't change.
        #[test]
        fn it_is_a_sorted_map_and_its_copies_stand_still(
            changes in prop::collection::vec((0..2000u16, prop::option::weighted(0.6, any::<u8>())), 0..3000),
            copied_at in 0..3000usize,
        ) {
            let mut map = OrderedMap::new();
            let mut model = BTreeMap::new();
            let mut copy = (map.clone(), model.clone());
            for (step, (key, value)) in changes.into_iter().enumerate() {
                match value {
                    Some(value) => prop_assert_eq!(map.insert(key, value), model.insert(key, value)),
                    None => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                }
                if step == copied_at {
                    copy = (map.clone(), model.clone());
                }
                prop_assert_eq!(map.find(&key), model.get(&key));
            }
            prop_assert!(map.iter().eq(model.iter()));
            prop_assert_eq!(map.len(), model.len());
            prop_assert!(map.from(&700).eq(model.range(700..)));
            prop_assert!(copy.0.iter().eq(copy.1.iter()));
            prop_assert!(shape(&map).iter().all(|&length| (1..=LEAF_MAX).contains(&length)));
        }
    }

    /// Ten thousand topics in one request, with names that ascend: full leaves, no copies.
    #[test]
    fn keys_in_order_fill_their_leaves() {
        let map = (0..1000u16).fold(OrderedMap::new(), |mut map, key| {
            map.insert(key, ());
            map
        });
        assert_eq!(shape(&map).len(), 1000usize.div_ceil(LEAF_MAX));
    }

    /// A change while a reader holds the last version copies one leaf; the others stay shared.
    #[test]
    fn a_change_copies_one_leaf() {
        let mut map = OrderedMap::new();
        for key in 0..1000u16 {
            map.insert(key, key);
        }
        let held = map.clone();
        *map.find_mut(&500).unwrap() = 0;
        let copied = map.leaves.iter().zip(held.leaves.iter()).filter(|(new, old)| !Arc::ptr_eq(new, old)).count();
        assert_eq!((copied, held.find(&500), map.find(&500)), (1, Some(&500), Some(&0)));
    }

    #[test]
    fn emptied_leaves_go_away() {
        let mut map = OrderedMap::new();
        for key in 0..1000u16 {
            map.insert(key, ());
        }
        for key in 0..990u16 {
            map.remove(&key);
        }
        assert!(map.leaves.len() <= 2, "{:?}", shape(&map));
        assert_eq!(map.first(), Some((&990, &())));
    }
}
