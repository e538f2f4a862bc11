//! Plain JSON values.

use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plain {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Plain>),
    Map(PlainMap),
}

pub(crate) type PlainMap = BTreeMap<String, Plain>;

/// The pseudocode of RFC 7396, section 2, line by line. `null_stays` and `shallow` are ways to get it wrong.
pub(crate) fn merge_patch(target: Option<Plain>, patch: &Plain, null_stays: bool, shallow: bool) -> Plain {
    let Plain::Map(patch) = patch else { return patch.clone() };
    let mut target = match target {
        Some(Plain::Map(target)) => target,
        _ => PlainMap::new(),
    };
    for (name, value) in patch {
        if *value == Plain::Null && !null_stays {
            target.remove(name);
        } else if shallow {
            target.insert(name.clone(), value.clone());
        } else {
            let patched = merge_patch(target.get(name).cloned(), value, null_stays, shallow);
            target.insert(name.clone(), patched);
        }
    }
    Plain::Map(target)
}

/// The bytes of all texts and keys, 8 for each other value, 8 more for each list and inner map.
pub(crate) fn size(map: &PlainMap) -> usize {
    map.iter().map(|(key, value)| key.len() + value_size(value)).sum()
}

fn value_size(value: &Plain) -> usize {
    match value {
        Plain::Null | Plain::Bool(_) | Plain::Number(_) => 8,
        Plain::Text(text) => text.len() + 8,
        Plain::List(items) => 8 + items.iter().map(value_size).sum::<usize>(),
        Plain::Map(map) => 8 + size(map),
    }
}
