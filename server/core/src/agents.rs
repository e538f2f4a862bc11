//! The agents of a namespace, found by hashes of their ids: these begin alike, and each lies elsewhere, so that to compare them takes longer.
//!
//! Clones share what they hold. Ids that were made up to collide are compared as in any sorted map.

use std::sync::Arc;

use crate::{AgentId, AgentRecord, store::Sorted, text_hash::text_hash};

/// All agents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Agents(Sorted<Key, Arc<AgentRecord>>);

/// An id, in the order of hashes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    hash: u32,
    id: AgentId,
}

impl Key {
    fn of(id: AgentId) -> Self {
        Self { hash: text_hash(&id), id }
    }
}

impl Agents {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn get(&self, id: &AgentId) -> Option<&Arc<AgentRecord>> {
        self.0.get(&Key::of(id.clone()))
    }

    pub(crate) fn get_mut(&mut self, id: &AgentId) -> Option<&mut Arc<AgentRecord>> {
        self.0.get_mut(&Key::of(id.clone()))
    }

    /// Puts the record under its own id.
    pub(crate) fn insert(&mut self, record: AgentRecord) {
        self.0.insert(Key::of(record.state.agent_id.clone()), Arc::new(record));
    }

    /// All, in an order that only their ids decide.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &AgentRecord> {
        self.0.iter().map(|(_, record)| &**record)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::{AgentState, History, Knowledge, Revision};

    fn record(id: &AgentId, revision: u64) -> AgentRecord {
        let state = AgentState {
            agent_id: id.clone(),
            knowledge: Knowledge::default(),
            revision: Revision(revision),
            updated_us: 0,
            transferred_from: None,
        };
        AgentRecord { state: Arc::new(state), history: History::default() }
    }

    /// Two ids of one hash.
    fn colliding() -> [AgentId; 2] {
        let mut seen = HashMap::new();
        let ids = (0..).map(|number: u32| format!("agent-{number}"));
        let pair = ids.filter_map(|id| Some([seen.insert(text_hash(&id), id.clone())?, id])).next();
        pair.expect("there are more ids than hashes").map(AgentId::from)
    }

    #[test]
    fn agents_whose_ids_have_one_hash_are_told_apart() {
        let [one, other] = colliding();
        let mut agents = Agents::default();
        agents.insert(record(&one, 1));
        assert!(agents.get(&other).is_none() && agents.get_mut(&other).is_none());
        agents.insert(record(&other, 2));
        let found = [&one, &other].map(|id| agents.get(id).map(|record| record.state.revision.0));
        assert_eq!((found, agents.len()), ([Some(1), Some(2)], 2));
    }
}
