//! The agents of a checkpoint, with their histories, each change an item of its own: one may be as large as a state.

use std::sync::Arc;

use minicbor::{Decode, Decoder, Encode, decode::Error as DecodeError};

use crate::{
    AgentId, AgentRecord, AgentState, HandoffId, History, Object, State, StateChange, StateChangeKind,
    UpdateMode,
    checkpoint_parts::{Out, Parts, Section, Writing},
    checkpoint_tables::{TableWriter, Tables, item},
};

impl State {
    /// Writes all agents.
    pub(crate) fn write_agents<E>(&self, parts: &mut Parts<'_, E>) -> Result<(), E> {
        let mut tables = TableWriter::default();
        for record in self.agents.iter() {
            let knowledge = tables.index(&record.state.knowledge, parts)?;
            parts.item(Section::Agents, |e| write_agent(e, record, knowledge))?;
            for change in record.history.entries() {
                let after = tables.index(&change.after, parts)?;
                parts.item(Section::Agents, |e| write_change(e, change, after))?;
            }
        }
        Ok(())
    }
}

fn write_agent(e: &mut Out<'_>, record: &AgentRecord, knowledge: u64) -> Writing {
    let AgentState { agent_id, knowledge: _, revision, updated_us, transferred_from } = &*record.state;
    e.u8(item::AGENT)?.encode(agent_id)?.u64(knowledge)?.encode(revision)?.i64(*updated_us)?;
    e.encode(transferred_from)?.u64(record.history.dropped())?.ok()
}

fn write_change(e: &mut Out<'_>, change: &StateChange, after: u64) -> Writing {
    let how = match &change.how {
        StateChangeKind::Updated { mode, update } => PackedHow::Updated(*mode, update.clone()),
        StateChangeKind::Transferred { from, handoff } => PackedHow::Transferred(from.clone(), *handoff),
    };
    e.u8(item::CHANGE)?.encode(change.revision)?.i64(change.time_us)?.encode(how)?.u64(after)?.ok()
}

/// Reads agents into a state.
#[derive(Debug, Default)]
pub(crate) struct AgentsReader {
    tables: Tables,
    /// The agent that was read last: the changes that follow are its own.
    last: Option<AgentId>,
}

impl AgentsReader {
    /// Reads one item.
    pub(crate) fn read_item(&mut self, state: &mut State, d: &mut Decoder<'_>) -> Result<(), DecodeError> {
        match d.u8()? {
            item::VALUE => self.tables.read_value(d),
            item::KNOWLEDGE => self.tables.read_knowledge(d),
            item::AGENT => {
                let record = self.read_agent(d)?;
                let id = record.state.agent_id.clone();
                state.agents.insert(record);
                self.last = Some(id);
                Ok(())
            }
            item::CHANGE => {
                let change = self.read_change(d)?;
                let record = self.last.as_ref().and_then(|id| state.agents.get_mut(id));
                let record = record.ok_or_else(|| DecodeError::message("a change without an agent"))?;
                Arc::make_mut(record).history.restore(change);
                Ok(())
            }
            _ => Err(DecodeError::message("an item that is not known")),
        }
    }

    fn read_agent(&self, d: &mut Decoder<'_>) -> Result<AgentRecord, DecodeError> {
        let state = AgentState {
            agent_id: d.decode()?,
            knowledge: self.tables.knowledge(d.u64()?)?,
            revision: d.decode()?,
            updated_us: d.i64()?,
            transferred_from: d.decode()?,
        };
        let history = History::restored(Default::default(), d.u64()?);
        Ok(AgentRecord { state: Arc::new(state), history })
    }

    fn read_change(&self, d: &mut Decoder<'_>) -> Result<StateChange, DecodeError> {
        let (revision, time_us) = (d.decode()?, d.i64()?);
        let how = match d.decode()? {
            PackedHow::Updated(mode, update) => StateChangeKind::Updated { mode, update },
            PackedHow::Transferred(from, handoff) => StateChangeKind::Transferred { from, handoff },
        };
        Ok(StateChange { revision, time_us, how, after: self.tables.knowledge(d.u64()?)? })
    }
}

#[derive(Encode, Decode)]
enum PackedHow {
    #[n(0)]
    Updated(#[n(0)] UpdateMode, #[n(1)] Object),
    #[n(1)]
    Transferred(#[n(0)] AgentId, #[n(1)] Option<HandoffId>),
}
