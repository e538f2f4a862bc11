//! What an agent knows, key by key, shared between the agents that it was transferred to.
//!
//! Pure data: knows nothing of agents, revisions or events.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Object, Text, UpdateMode, Value,
    limits::{STATE_BYTES_MAX, STATE_KEYS_MAX},
    transfer::{ConflictPolicy, TransferSpec},
    value::patched_value,
};

/// The top-level keys of an agent's state. A clone costs one reference count.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Knowledge {
    entries: Arc<BTreeMap<Text, Known>>,
    size: usize,
}

/// The value of one key, with its size so that nobody has to walk it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The value.
    pub value: Value,
    /// Its size in bytes, with its key.
    pub size: usize,
}

/// Why state cannot be changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Keys that should move are not there.
    #[error("{} not in the sender's state", listed(.0))]
    Missing(Vec<Text>),
    /// Keys that the receiver has with other values, and the policy is to fail.
    #[error("{} already in the receiver's state with other values", listed(.0))]
    Conflict(Vec<Text>),
    /// The state would be larger than [`STATE_BYTES_MAX`].
    #[error("the state would have {0} bytes; the limit is {STATE_BYTES_MAX}")]
    TooManyBytes(usize),
    /// The state would have more keys than [`STATE_KEYS_MAX`].
    #[error("the state would have {0} keys at the top; the limit is {STATE_KEYS_MAX}")]
    TooManyKeys(usize),
}

/// At most eight of `keys`, quoted, and how many more there are.
fn listed(keys: &[Text]) -> String {
    let shown: Vec<String> = keys.iter().take(8).map(|key| format!("{:?}", key.as_str())).collect();
    let more = keys.len().saturating_sub(8);
    let (noun, verb) = if keys.len() == 1 { ("key", "is") } else { ("keys", "are") };
    match more {
        0 => format!("{noun} {} {verb}", shown.join(", ")),
        _ => format!("{noun} {} and {more} more {verb}", shown.join(", ")),
    }
}

impl Knowledge {
    pub(crate) fn from_entries(entries: BTreeMap<Text, Known>) -> Self {
        let size = entries.values().map(|known| known.size).sum();
        Self { entries: Arc::new(entries), size }
    }

    /// The keys with their values, in order.
    pub fn entries(&self) -> &BTreeMap<Text, Known> {
        &self.entries
    }

    /// Size in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many keys there are at the top.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What it becomes by an update.
    #[must_use]
    pub fn updated(&self, mode: UpdateMode, update: &Object) -> Self {
        let mut entries = match mode {
            UpdateMode::Replace => BTreeMap::new(),
            UpdateMode::Merge | UpdateMode::Patch => (*self.entries).clone(),
        };
        for (key, change) in update.entries() {
            let value = match mode {
                UpdateMode::Merge | UpdateMode::Replace => Some(change.clone()),
                UpdateMode::Patch => patched_value(entries.get(key).map(|known| &known.value), change),
            };
            match value {
                Some(value) => entries.insert(key.clone(), Known::new(key, value)),
                None => entries.remove(key),
            };
        }
        Self::from_entries(entries)
    }

    /// What it becomes when `sender` is transferred into it. Costs at most a step per key, whatever the values' sizes,
    /// and one reference count where nothing of the receiver's own remains.
    ///
    /// # Errors
    /// [`Obstacle::Missing`] and [`Obstacle::Conflict`], with every key in question.
    pub fn receiving(&self, sender: &Self, spec: &TransferSpec) -> Result<Self, Obstacle> {
        if spec.keys.is_none() && spec.on_conflict == ConflictPolicy::Overwrite && self.all_keys_in(sender) {
            return Ok(sender.clone());
        }
        let moving = sender.selected(spec)?;
        if spec.on_conflict == ConflictPolicy::Fail {
            self.refuse_conflicts(&moving)?;
        }
        let mut entries = (*self.entries).clone();
        for (key, known) in moving {
            if spec.on_conflict == ConflictPolicy::Keep && entries.contains_key(key) {
                continue;
            }
            entries.insert(key.clone(), known.clone());
        }
        Ok(Self::from_entries(entries))
    }

    /// Size in bytes of what `spec` would move out of it; keys that are missing count nothing.
    pub fn moving_size(&self, spec: &TransferSpec) -> usize {
        match &spec.keys {
            None => self.size,
            Some(keys) => keys.iter().filter_map(|key| self.entries.get(key)).map(|known| known.size).sum(),
        }
    }

    /// Refuses what is over the limits of a state.
    ///
    /// # Errors
    /// [`Obstacle::TooManyBytes`] and [`Obstacle::TooManyKeys`].
    pub fn within_limits(self) -> Result<Self, Obstacle> {
        if self.size > STATE_BYTES_MAX {
            return Err(Obstacle::TooManyBytes(self.size));
        }
        if self.len() > STATE_KEYS_MAX {
            return Err(Obstacle::TooManyKeys(self.len()));
        }
        Ok(self)
    }

    fn all_keys_in(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.entries, &other.entries)
            || self.len() <= other.len() && self.entries.keys().all(|key| other.entries.contains_key(key))
    }

    fn selected(&self, spec: &TransferSpec) -> Result<Vec<(&Text, &Known)>, Obstacle> {
        let Some(keys) = &spec.keys else { return Ok(self.entries.iter().collect()) };
        let missing: Vec<Text> =
            keys.iter().filter(|key| !self.entries.contains_key(*key)).cloned().collect();
        if !missing.is_empty() {
            return Err(Obstacle::Missing(missing));
        }
        Ok(keys.iter().filter_map(|key| self.entries.get_key_value(key)).collect())
    }

    fn refuse_conflicts(&self, moving: &[(&Text, &Known)]) -> Result<(), Obstacle> {
        let conflicts: Vec<Text> = moving
            .iter()
            .filter(|(key, known)| self.entries.get(*key).is_some_and(|present| !present.same(known)))
            .map(|(key, _)| (*key).clone())
            .collect();
        if conflicts.is_empty() { Ok(()) } else { Err(Obstacle::Conflict(conflicts)) }
    }
}

impl Known {
    pub(crate) fn new(key: &Text, value: Value) -> Self {
        let size = key.len() + value.size();
        Self { value, size }
    }

    /// Equal, looking first at what costs nothing.
    fn same(&self, other: &Self) -> bool {
        let address = self.value.shared_address();
        let shared = address.is_some() && address == other.value.shared_address();
        self.size == other.size && (shared || self.value == other.value)
    }
}
