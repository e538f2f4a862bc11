//! A whole state as bytes, so that a restart need not replay the whole log, and back.
//!
//! Canonical: equal states give equal bytes. Checksums and files are the log's.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use minicbor::{Decode, Decoder, Encode, Encoder, decode::Error as DecodeError};

use crate::{
    AgentId, AgentRecord, AgentState, HandoffId, History, Object, RequestMemory, State, StateChange,
    StateChangeKind, UpdateMode,
    checkpoint_requests::{read_requests, write_requests},
    checkpoint_tables::{TableWriter, Tables},
    codec::length,
    store::{Handoffs, Tasks},
};

/// The version of the encoding of checkpoints. One of another version is left aside and the log is replayed.
pub const CHECKPOINT_FORMAT: u16 = 4;

/// The checkpoint cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It has another format.
    #[error("the checkpoint has format {0}; this server reads {CHECKPOINT_FORMAT}")]
    Format(u16),
    /// It is not what a server writes.
    #[error("the checkpoint cannot be read: {0}")]
    Malformed(#[from] DecodeError),
}

type Writing = Result<(), minicbor::encode::Error<Infallible>>;
type Out<'a> = Encoder<&'a mut Vec<u8>>;

impl State {
    /// Writes the whole state.
    pub fn to_checkpoint(&self) -> Vec<u8> {
        let mut tables = TableWriter::default();
        let mut rest = Vec::new();
        self.write_rest(&mut Encoder::new(&mut rest), &mut tables).expect("writing to memory cannot fail");
        let mut bytes = Vec::with_capacity(rest.len() + 1024);
        let mut e = Encoder::new(&mut bytes);
        e.u64(self.archived).expect("writing to memory cannot fail");
        tables.write(&mut e).expect("writing to memory cannot fail");
        bytes.extend_from_slice(&rest);
        bytes
    }

    /// Reads a state that remembers requests within the given bounds from now on.
    ///
    /// # Errors
    /// [`CheckpointError`] if it has another format, or is damaged.
    pub fn from_checkpoint(
        format: u16,
        bytes: &[u8],
        memory: RequestMemory,
    ) -> Result<Self, CheckpointError> {
        let archived = Self::archived_in_checkpoint(format, bytes)?;
        let mut d = Decoder::new(bytes);
        d.skip()?;
        let tables = Tables::read(&mut d)?;
        let mut state = Self { archived, ..Self::new(memory) };
        state.read_rest(&mut d, &tables)?;
        Ok(state)
    }

    /// How many tasks the state of a checkpoint leaves to the archive, without reading the rest.
    ///
    /// # Errors
    /// [`CheckpointError`] if it has another format, or is damaged.
    pub fn archived_in_checkpoint(format: u16, bytes: &[u8]) -> Result<u64, CheckpointError> {
        if format != CHECKPOINT_FORMAT {
            return Err(CheckpointError::Format(format));
        }
        Ok(Decoder::new(bytes).u64()?)
    }

    fn write_rest(&self, e: &mut Out<'_>, tables: &mut TableWriter) -> Writing {
        e.encode(self.head)?.i64(self.time_us)?.encode(&self.rules)?;
        let open = self.handoffs.open();
        e.array(open.len() as u64)?;
        for id in open {
            e.encode(id)?;
        }
        let handoffs = self.handoffs.packed();
        e.array(handoffs.len() as u64)?;
        for (id, bytes) in handoffs {
            e.encode(id)?.bytes(&bytes)?;
        }
        let tasks = self.tasks.packed();
        e.array(tasks.len() as u64)?;
        for (id, bytes) in tasks {
            e.encode(id)?.bytes(&bytes)?;
        }
        e.array(self.agents.len() as u64)?;
        for record in self.agents.values() {
            write_agent(e, record, tables)?;
        }
        write_requests(e, &self.requests)
    }

    fn read_rest(&mut self, d: &mut Decoder<'_>, tables: &Tables) -> Result<(), DecodeError> {
        self.head = d.decode()?;
        self.time_us = d.i64()?;
        self.rules = d.decode()?;
        let open = items(d, |d| d.decode())?;
        let packed = items(d, |d| Ok((d.decode()?, d.bytes()?.into())))?;
        self.handoffs = Handoffs::restored(packed, open.into_iter().collect());
        self.tasks = Tasks::restored(items(d, |d| Ok((d.decode()?, d.bytes()?.into())))?);
        for _ in 0..length(d.array()?)? {
            let record = read_agent(d, tables)?;
            self.agents.insert(record.state.agent_id.clone(), record);
        }
        self.requests = read_requests(d, self.memory)?;
        Ok(())
    }
}

fn items<T>(
    d: &mut Decoder<'_>,
    mut read: impl FnMut(&mut Decoder<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let mut items = Vec::new();
    for _ in 0..length(d.array()?)? {
        items.push(read(d)?);
    }
    Ok(items)
}

fn write_agent(e: &mut Out<'_>, record: &AgentRecord, tables: &mut TableWriter) -> Writing {
    let AgentState { agent_id, knowledge, revision, updated_us, transferred_from } = &*record.state;
    e.encode(agent_id)?.u64(tables.index(knowledge))?.encode(revision)?.i64(*updated_us)?;
    e.encode(transferred_from)?.u64(record.history.dropped())?;
    e.array(record.history.entries().len() as u64)?;
    for change in record.history.entries() {
        let how = match &change.how {
            StateChangeKind::Updated { mode, update } => PackedHow::Updated(*mode, update.clone()),
            StateChangeKind::Transferred { from, handoff } => PackedHow::Transferred(from.clone(), *handoff),
        };
        e.encode(change.revision)?.i64(change.time_us)?.encode(how)?.u64(tables.index(&change.after))?;
    }
    Ok(())
}

fn read_agent(d: &mut Decoder<'_>, tables: &Tables) -> Result<AgentRecord, DecodeError> {
    let state = AgentState {
        agent_id: d.decode()?,
        knowledge: tables.knowledge(d.u64()?)?,
        revision: d.decode()?,
        updated_us: d.i64()?,
        transferred_from: d.decode()?,
    };
    let dropped = d.u64()?;
    let mut entries = VecDeque::new();
    for _ in 0..length(d.array()?)? {
        let (revision, time_us) = (d.decode()?, d.i64()?);
        let how = match d.decode()? {
            PackedHow::Updated(mode, update) => StateChangeKind::Updated { mode, update },
            PackedHow::Transferred(from, handoff) => StateChangeKind::Transferred { from, handoff },
        };
        entries.push_back(StateChange { revision, time_us, how, after: tables.knowledge(d.u64()?)? });
    }
    Ok(AgentRecord { state: Arc::new(state), history: History::restored(entries, dropped) })
}

#[derive(Encode, Decode)]
enum PackedHow {
    #[n(0)]
    Updated(#[n(0)] UpdateMode, #[n(1)] Object),
    #[n(1)]
    Transferred(#[n(0)] AgentId, #[n(1)] Option<HandoffId>),
}
