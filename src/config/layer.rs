//! Settings over settings: what a person writes in packhouse.toml lies over what a manifest says for another tool.

use std::collections::BTreeMap;

/// A value that may lie over another of its kind.
pub(super) trait Layer {
    /// This value over `below`: what is one thing replaces, what is many is added.
    fn over(self, below: Self) -> Self;
}

impl<T> Layer for Option<T> {
    fn over(self, below: Self) -> Self {
        self.or(below)
    }
}

impl<T> Layer for Vec<T> {
    fn over(self, mut below: Self) -> Self {
        below.extend(self);
        below
    }
}

impl<K: Ord, V> Layer for BTreeMap<K, V> {
    fn over(self, mut below: Self) -> Self {
        below.extend(self);
        below
    }
}

/// Said once, it is so.
impl Layer for bool {
    fn over(self, below: Self) -> Self {
        self || below
    }
}

/// `own.field.over(below.field)` for each field, so that none can be forgotten.
macro_rules! layer {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::config::layer::Layer for $name {
            fn over(self, below: Self) -> Self {
                let Self { $($field),* } = self;
                Self { $($field: $crate::config::layer::Layer::over($field, below.$field)),* }
            }
        }
    };
}
pub(super) use layer;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_replaces_and_many_are_added() {
        assert_eq!(Some(1).over(Some(2)), Some(1));
        assert_eq!(None.over(Some(2)), Some(2));
        assert_eq!(vec![2].over(vec![1]), [1, 2]);
        let (own, below) = (BTreeMap::from([("a", 1)]), BTreeMap::from([("a", 2), ("b", 3)]));
        assert_eq!(own.over(below), BTreeMap::from([("a", 1), ("b", 3)]));
    }
}
