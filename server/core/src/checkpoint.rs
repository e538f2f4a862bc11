//! A whole state as bytes, so that a restart need not replay the whole log, and back.
//!
//! Canonical: equal states give equal bytes. Checksums and files are the log's.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use minicbor::{Decode, Decoder, Encode, Encoder, decode::Error as DecodeError};

use crate::{
    AgentId, AgentRecord, AgentState, Answer, BuiltInRule, Handoff, HandoffId, History, Object,
    RequestMemory, Revision, State, StateChange, StateChangeKind, StateWritten, Task, TaskChange, TaskEntry,
    TaskRecord, TaskStatus, Text, UpdateMode,
    checkpoint_tables::{TableWriter, Tables},
    codec::length,
    requests::Remembered,
};

/// The version of the encoding of checkpoints. One of another version is left aside and the log is replayed.
pub const CHECKPOINT_FORMAT: u16 = 1;

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
        tables.write(&mut Encoder::new(&mut bytes)).expect("writing to memory cannot fail");
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
        if format != CHECKPOINT_FORMAT {
            return Err(CheckpointError::Format(format));
        }
        let mut d = Decoder::new(bytes);
        let tables = Tables::read(&mut d)?;
        let mut state = Self::new(memory);
        state.read_rest(&mut d, &tables)?;
        Ok(state)
    }

    fn write_rest(&self, e: &mut Out<'_>, tables: &mut TableWriter) -> Writing {
        e.encode(self.head)?.i64(self.time_us)?.encode(&self.rules)?;
        e.array(self.handoffs.len() as u64)?;
        for handoff in self.handoffs.values() {
            e.encode(&**handoff)?;
        }
        e.array(self.tasks.len() as u64)?;
        for record in self.tasks.values() {
            self.write_task(e, record)?;
        }
        e.array(self.agents.len() as u64)?;
        for record in self.agents.values() {
            write_agent(e, record, tables)?;
        }
        let requests = self.requests.iter();
        e.array(requests.len() as u64)?;
        for (key, remembered) in requests {
            e.encode(key)?.encode(remembered.fingerprint)?.i64(remembered.time_us)?;
            e.encode(self.packed_answer(&remembered.answer))?;
        }
        Ok(())
    }

    fn read_rest(&mut self, d: &mut Decoder<'_>, tables: &Tables) -> Result<(), DecodeError> {
        self.head = d.decode()?;
        self.time_us = d.i64()?;
        self.rules = d.decode()?;
        for _ in 0..length(d.array()?)? {
            let handoff: Handoff = d.decode()?;
            self.put_handoff(Arc::new(handoff));
        }
        for _ in 0..length(d.array()?)? {
            let record = self.read_task(d)?;
            self.tasks.insert(record.task.id.clone(), record);
        }
        for _ in 0..length(d.array()?)? {
            let record = read_agent(d, tables)?;
            self.agents.insert(record.state.agent_id.clone(), record);
        }
        for _ in 0..length(d.array()?)? {
            let (key, fingerprint, time_us) = (d.decode()?, d.decode()?, d.i64()?);
            let answer = self.unpacked_answer(d.decode()?)?;
            self.requests.insert(key, Remembered { fingerprint, time_us, answer }, self.memory);
        }
        Ok(())
    }

    fn write_task(&self, e: &mut Out<'_>, record: &TaskRecord) -> Writing {
        e.encode(&*record.task)?.u64(record.history.dropped())?;
        e.array(record.history.entries().len() as u64)?;
        for entry in record.history.entries() {
            e.encode(PackedEntry {
                revision: entry.revision,
                time_us: entry.time_us,
                what: self.packed_change(&entry.what),
                status: entry.status,
                owner: entry.owner.clone(),
                owner_epoch: entry.owner_epoch,
            })?;
        }
        Ok(())
    }

    fn read_task(&self, d: &mut Decoder<'_>) -> Result<TaskRecord, DecodeError> {
        let (task, dropped) = (Arc::new(d.decode()?), d.u64()?);
        let mut entries = VecDeque::new();
        for _ in 0..length(d.array()?)? {
            let packed: PackedEntry = d.decode()?;
            entries.push_back(TaskEntry {
                revision: packed.revision,
                time_us: packed.time_us,
                what: self.unpacked_change(packed.what)?,
                status: packed.status,
                owner: packed.owner,
                owner_epoch: packed.owner_epoch,
            });
        }
        Ok(TaskRecord { task, history: History::restored(entries, dropped) })
    }

    fn packed_change(&self, what: &TaskChange) -> PackedChange {
        match what {
            TaskChange::Created => PackedChange::Created,
            TaskChange::Started => PackedChange::Started,
            TaskChange::Updated => PackedChange::Updated,
            TaskChange::Ended(outcome) => PackedChange::Ended(outcome.clone()),
            TaskChange::Handoff(handoff) => PackedChange::Handoff(self.packed_handoff(handoff)),
        }
    }

    fn unpacked_change(&self, packed: PackedChange) -> Result<TaskChange, DecodeError> {
        Ok(match packed {
            PackedChange::Created => TaskChange::Created,
            PackedChange::Started => TaskChange::Started,
            PackedChange::Updated => TaskChange::Updated,
            PackedChange::Ended(outcome) => TaskChange::Ended(outcome),
            PackedChange::Handoff(packed) => TaskChange::Handoff(self.unpacked_handoff(packed)?),
        })
    }

    fn packed_handoff(&self, handoff: &Handoff) -> PackedHandoff {
        match self.handoffs.get(&handoff.id) {
            Some(present) if present.revision == handoff.revision => PackedHandoff::Present(handoff.id),
            _ => PackedHandoff::Past(Box::new(handoff.clone())),
        }
    }

    fn unpacked_handoff(&self, packed: PackedHandoff) -> Result<Arc<Handoff>, DecodeError> {
        match packed {
            PackedHandoff::Past(handoff) => Ok(Arc::from(handoff)),
            PackedHandoff::Present(id) => self
                .handoffs
                .get(&id)
                .cloned()
                .ok_or_else(|| DecodeError::message("a hand-off of the history is missing")),
        }
    }

    fn packed_task(&self, task: &Task) -> PackedTask {
        match self.tasks.get(&task.id) {
            Some(present) if present.task.revision == task.revision => {
                PackedTask::Present(task.id.as_str().into())
            }
            _ => PackedTask::Past(Box::new(task.clone())),
        }
    }

    fn unpacked_task(&self, packed: PackedTask) -> Result<Arc<Task>, DecodeError> {
        match packed {
            PackedTask::Past(task) => Ok(Arc::from(task)),
            PackedTask::Present(id) => self
                .tasks
                .get(id.as_str())
                .map(|record| Arc::clone(&record.task))
                .ok_or_else(|| DecodeError::message("a task of the request memory is missing")),
        }
    }

    fn packed_answer(&self, answer: &Answer) -> PackedAnswer {
        match answer {
            Answer::Task(task) => PackedAnswer::Task(self.packed_task(task)),
            Answer::Handoff(handoff, task) => {
                PackedAnswer::Handoff(self.packed_handoff(handoff), self.packed_task(task))
            }
            Answer::State(written) => PackedAnswer::State((**written).clone()),
            Answer::Rule { rule, on } => PackedAnswer::Rule(*rule, *on),
        }
    }

    fn unpacked_answer(&self, packed: PackedAnswer) -> Result<Answer, DecodeError> {
        Ok(match packed {
            PackedAnswer::Task(task) => Answer::Task(self.unpacked_task(task)?),
            PackedAnswer::Handoff(handoff, task) => {
                Answer::Handoff(self.unpacked_handoff(handoff)?, self.unpacked_task(task)?)
            }
            PackedAnswer::State(written) => Answer::State(Arc::new(written)),
            PackedAnswer::Rule(rule, on) => Answer::Rule { rule, on },
        })
    }
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
struct PackedEntry {
    #[n(0)]
    revision: Revision,
    #[n(1)]
    time_us: i64,
    #[n(2)]
    what: PackedChange,
    #[n(3)]
    status: TaskStatus,
    #[n(4)]
    owner: AgentId,
    #[n(5)]
    owner_epoch: u64,
}

#[derive(Encode, Decode)]
enum PackedChange {
    #[n(0)]
    Created,
    #[n(1)]
    Started,
    #[n(2)]
    Updated,
    #[n(3)]
    Ended(#[n(0)] Text),
    #[n(4)]
    Handoff(#[n(0)] PackedHandoff),
}

/// A hand-off as it is now, by its id, or as it was once.
#[derive(Encode, Decode)]
enum PackedHandoff {
    #[n(0)]
    Present(#[n(0)] HandoffId),
    #[n(1)]
    Past(#[n(0)] Box<Handoff>),
}

/// A task as it is now, by its id, or as it was once.
#[derive(Encode, Decode)]
enum PackedTask {
    #[n(0)]
    Present(#[n(0)] Text),
    #[n(1)]
    Past(#[n(0)] Box<Task>),
}

#[derive(Encode, Decode)]
enum PackedAnswer {
    #[n(0)]
    Task(#[n(0)] PackedTask),
    #[n(1)]
    Handoff(#[n(0)] PackedHandoff, #[n(1)] PackedTask),
    #[n(2)]
    State(#[n(0)] StateWritten),
    #[n(3)]
    Rule(#[n(0)] BuiltInRule, #[n(1)] bool),
}

#[derive(Encode, Decode)]
enum PackedHow {
    #[n(0)]
    Updated(#[n(0)] UpdateMode, #[n(1)] Object),
    #[n(1)]
    Transferred(#[n(0)] AgentId, #[n(1)] Option<HandoffId>),
}
