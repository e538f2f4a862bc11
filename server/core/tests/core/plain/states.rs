//! What agents know in the plain world, and how it moves.

use std::rc::Rc;

use super::{
    mistake::Mistake,
    op::{Keys, Mode, Moving, OnConflict},
    reply::{Moved, Refusal, Reply},
    value::{Plain, PlainMap, merge_patch},
    world::{Agent, Change, How, World},
};

/// Why state cannot move.
#[derive(Clone, Debug)]
pub(crate) enum Stuck {
    Missing(Vec<String>),
    Conflict(Vec<String>),
}

impl World {
    pub(crate) fn update_state(
        &mut self,
        agent: &str,
        mode: Mode,
        update: &PlainMap,
        expected: Option<u64>,
        now_us: i64,
    ) -> Result<Reply, Refusal> {
        let revision = self.agents.get(agent).map_or(0, |agent| agent.revision);
        if let Some(expected) = expected
            && expected != revision
            && !self.makes(Mistake::ExpectedRevisionIgnored)
        {
            return Err(Refusal::RevisionMismatch { revision, expected });
        }
        let after = self.updated(&self.known_by(agent), mode, update);
        let revision = self.next_revision();
        self.put_state(agent, after, How::Updated(mode, update.clone()), revision, now_us);
        Ok(Reply::State { agent: agent.to_owned(), revision, time_us: now_us, moved: None })
    }

    pub(crate) fn transfer_state(
        &mut self,
        from: &str,
        to: &str,
        moving: &Moving,
        now_us: i64,
    ) -> Result<Reply, Refusal> {
        let Some(sender) = self.agents.get(from) else {
            return Err(Refusal::AgentNotFound { agent: from.to_owned() });
        };
        let from_revision = sender.revision;
        let (from, to) = (from.to_owned(), to.to_owned());
        let after = match self.received(&self.known_by(&from), &self.known_by(&to), moving) {
            Ok(after) => after,
            Err(Stuck::Missing(keys)) => return Err(Refusal::KeysMissing { from, to, keys }),
            Err(Stuck::Conflict(keys)) => return Err(Refusal::KeysInConflict { from, to, keys }),
        };
        let revision = self.next_revision();
        let how = How::Transferred { from: from.clone(), handoff: None };
        self.put_state(&to, after, how, revision, now_us);
        let moved = Some(Moved { from, from_revision, moving: moving.clone() });
        Ok(Reply::State { agent: to, revision, time_us: now_us, moved })
    }

    pub(crate) fn known_by(&self, agent: &str) -> PlainMap {
        self.agents.get(agent).map(|agent| (*agent.state).clone()).unwrap_or_default()
    }

    fn updated(&self, before: &PlainMap, mode: Mode, update: &PlainMap) -> PlainMap {
        let (null_stays, shallow) =
            (self.makes(Mistake::PatchKeepsNull), self.makes(Mistake::PatchIsShallow));
        let merges_deep = mode == Mode::Merge && self.makes(Mistake::MergeIsDeep);
        if mode == Mode::Patch || merges_deep {
            let patch = Plain::Map(update.clone());
            let patched =
                merge_patch(Some(Plain::Map(before.clone())), &patch, null_stays || merges_deep, shallow);
            let Plain::Map(after) = patched else { unreachable!("a map patched by a map is a map") };
            return after;
        }
        let starts_empty = mode == Mode::Replace && !self.makes(Mistake::ReplaceMerges);
        let mut after = if starts_empty { PlainMap::new() } else { before.clone() };
        after.extend(update.clone());
        after
    }

    /// What a receiver knows after the transfer.
    pub(crate) fn received(
        &self,
        sender: &PlainMap,
        receiver: &PlainMap,
        moving: &Moving,
    ) -> Result<PlainMap, Stuck> {
        let keys: Vec<String> = match &moving.keys {
            Keys::All => sender.keys().cloned().collect(),
            Keys::Some(keys) => keys.clone(),
            Keys::None => Vec::new(),
        };
        let missing: Vec<String> = keys.iter().filter(|key| !sender.contains_key(*key)).cloned().collect();
        if !missing.is_empty() && !self.makes(Mistake::MissingKeysIgnored) {
            return Err(Stuck::Missing(missing));
        }
        let differs =
            |key: &&String| receiver.get(*key).is_some_and(|present| Some(present) != sender.get(*key));
        let conflicts: Vec<String> = keys.iter().filter(differs).cloned().collect();
        let fails = moving.on_conflict == OnConflict::Fail && !self.makes(Mistake::FailOverwrites);
        if fails && !conflicts.is_empty() {
            return Err(Stuck::Conflict(conflicts));
        }
        let keeps = moving.on_conflict == OnConflict::Keep && !self.makes(Mistake::KeepOverwrites);
        let replaces = self.makes(Mistake::TransferReplacesAll);
        let mut after = if replaces { PlainMap::new() } else { receiver.clone() };
        for key in keys {
            if let Some(value) = sender.get(&key)
                && !(keeps && after.contains_key(&key))
            {
                after.insert(key, value.clone());
            }
        }
        Ok(after)
    }

    pub(crate) fn put_state(&mut self, id: &str, after: PlainMap, how: How, revision: u64, now_us: i64) {
        let after = Rc::new(after);
        let transferred_from = match &how {
            How::Updated(..) => None,
            How::Transferred { from, .. } => Some(from.clone()),
        };
        if let (Some(from), true) = (&transferred_from, self.makes(Mistake::TransferEmptiesSender))
            && let Some(sender) = self.agents.get_mut(from)
        {
            sender.state = Rc::default();
        }
        let traceless = transferred_from.is_some() && self.makes(Mistake::TransferLeavesNoTrace);
        let agent = self.agents.entry(id.to_owned()).or_insert_with(|| Agent {
            state: Rc::default(),
            revision: 0,
            updated_us: 0,
            transferred_from: None,
            history: Vec::new(),
        });
        agent.state = Rc::clone(&after);
        agent.revision = revision;
        agent.updated_us = now_us;
        agent.transferred_from = transferred_from;
        if !traceless {
            agent.history.push(Rc::new(Change { revision, time_us: now_us, how, after }));
        }
    }
}
