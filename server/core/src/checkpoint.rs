//! A state as bytes, so that a restart need not replay the whole log, and back: part by part, so that they never are in memory at once.
//!
//! Canonical: equal states give equal parts, unless some of their requests are left to segments. Checksums and files are the log's.

use minicbor::{Decoder, decode::Error as DecodeError};

use crate::{
    RequestMemory, Revision, State,
    checkpoint_agents::AgentsReader,
    checkpoint_parts::{Parts, Section, read_items},
    checkpoint_requests::RequestsReader,
    checkpoint_segments::{InSegments, SegmentsReader},
    prepared_part::{Items, PreparedPart, in_order},
};

/// The version of the encoding of checkpoints. One of another version is left aside and the log is replayed.
pub const CHECKPOINT_FORMAT: u16 = 8;

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

impl State {
    /// Writes the whole state: gives `part` one after the other, none of them empty, in all as many bytes as the state has in memory, about.
    /// At no time is there more than one part, 256 KiB unless an item is larger. Takes time in proportion to the state, so a
    /// clone is written while the original goes on.
    ///
    /// # Errors
    /// The first that `part` gives; it is not called again then.
    pub fn write_checkpoint<E>(&self, part: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        self.write_checkpoint_beside(InSegments::default(), part)
    }

    /// As [`State::write_checkpoint`], without the requests that stand in segments: whoever reads it gives the parts of those first, in their
    /// order.
    ///
    /// # Errors
    /// The first that `part` gives; it is not called again then.
    ///
    /// # Panics
    /// If there are requests in neither, since only other segments [have](Self::stored_until) them.
    pub fn write_checkpoint_beside<E>(
        &self,
        in_segments: InSegments,
        part: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        assert!(in_segments.until >= self.stored_until(), "what only segments have is to be left to them");
        let mut parts = Parts::new(part);
        parts.item(Section::Beginning, |e| {
            e.u64(self.archived)?.encode(self.head)?.i64(self.time_us)?.encode(&self.rules)?;
            e.encode(self.oldest_request())?.ok()
        })?;
        let mut counts = Counts::default();
        for id in self.handoffs.open() {
            parts.item(Section::Open, |e| e.encode(id)?.ok())?;
            counts.open += 1;
        }
        for (id, bytes) in self.handoffs.packed() {
            parts.item(Section::Handoffs, |e| e.encode(id)?.bytes(&bytes)?.ok())?;
            counts.handoffs += 1;
        }
        for (id, bytes) in self.tasks.packed() {
            parts.item(Section::Tasks, |e| e.str(id)?.bytes(&bytes)?.ok())?;
            counts.tasks += 1;
        }
        self.write_agents(&mut parts)?;
        counts.agents = self.agents.len() as u64;
        counts.requests = in_segments.count + self.write_requests(in_segments.until, &mut parts)?;
        parts.item(Section::End, |e| {
            let Counts { open, handoffs, tasks, agents, requests } = counts;
            e.u64(open)?.u64(handoffs)?.u64(tasks)?.u64(agents)?.u64(requests)?.ok()
        })?;
        parts.end()
    }

    /// The parts that [`State::write_checkpoint`] writes, each behind its length (32 bits, little-endian): to compare states by that hold all
    /// their requests.
    pub fn to_checkpoint(&self) -> Vec<u8> {
        let mut all = Vec::new();
        let written = self.write_checkpoint(&mut |part| {
            let length = u32::try_from(part.len())?;
            all.extend_from_slice(&length.to_le_bytes());
            all.extend_from_slice(part);
            Ok::<_, std::num::TryFromIntError>(())
        });
        written.expect("a part is far smaller than 4 GiB");
        all
    }

    /// Reads what [`State::to_checkpoint`] wrote into a state that remembers requests within the given bounds from now on.
    ///
    /// # Errors
    /// [`CheckpointError`] if it has another format, or is damaged.
    pub fn from_checkpoint(
        format: u16,
        mut bytes: &[u8],
        memory: RequestMemory,
    ) -> Result<Self, CheckpointError> {
        let mut reader = CheckpointReader::new(format, memory)?;
        while !bytes.is_empty() {
            let (length, rest) = bytes.split_first_chunk().ok_or_else(DecodeError::end_of_input)?;
            let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
            let (part, rest) = rest.split_at_checked(length).ok_or_else(DecodeError::end_of_input)?;
            reader.part(part)?;
            bytes = rest;
        }
        reader.finish()
    }
}

/// How many items there are of each kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    open: u64,
    handoffs: u64,
    tasks: u64,
    agents: u64,
    requests: u64,
}

/// Reads a state from its parts, in the order in which they were written, those of segments before all others.
#[derive(Debug)]
pub struct CheckpointReader {
    state: State,
    agents: AgentsReader,
    segments: SegmentsReader,
    requests: RequestsReader,
    counts: Counts,
    /// Of the last part.
    section: Option<Section>,
}

impl CheckpointReader {
    /// Begins a state that remembers requests within the given bounds from now on.
    ///
    /// # Errors
    /// [`CheckpointError::Format`] if the parts are of another format.
    pub fn new(format: u16, memory: RequestMemory) -> Result<Self, CheckpointError> {
        if format != CHECKPOINT_FORMAT {
            return Err(CheckpointError::Format(format));
        }
        Ok(Self {
            state: State::new(memory),
            agents: AgentsReader::default(),
            segments: SegmentsReader::default(),
            requests: RequestsReader::default(),
            counts: Counts::default(),
            section: None,
        })
    }

    /// Leaves the requests in the segments, which are to be kept for as long as one of them is remembered: what was answered is
    /// [read from there](crate::Outcome::Stored) if it is asked for again.
    #[must_use]
    pub fn leaving_requests(mut self) -> Self {
        self.segments.leave();
        self
    }

    /// Reads the next part.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] if it is damaged; the reader is of no use any more then.
    pub fn part(&mut self, bytes: &[u8]) -> Result<(), CheckpointError> {
        self.put(PreparedPart::new(bytes.to_vec())?)
    }

    /// Reads the next part, which was made ready.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] if it is damaged; the reader is of no use any more then.
    pub fn put(&mut self, part: PreparedPart) -> Result<(), CheckpointError> {
        let PreparedPart { section, items } = part;
        let has_begun = self.section > Some(Section::Segments);
        if has_begun == (section <= Section::Beginning) || self.section > Some(section) {
            return Err(DecodeError::message("its parts are not in order").into());
        }
        self.section = Some(section);
        match items {
            Items::Handoffs(run) => {
                self.counts.handoffs += run.count() as u64;
                in_order(self.state.handoffs.restore_run(run))?;
            }
            Items::Tasks(run) => {
                self.counts.tasks += run.count() as u64;
                in_order(self.state.tasks.restore_run(run))?;
            }
            Items::Others(bytes) => {
                let d = &mut Decoder::new(&bytes);
                d.skip()?;
                self.others(section, d)?;
                if d.position() < bytes.len() {
                    return Err(DecodeError::message("a part is longer than what is in it").into());
                }
            }
        }
        Ok(())
    }

    fn others(&mut self, section: Section, d: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let Self { state, agents, segments, requests, counts, section: _ } = self;
        match section {
            Section::Segments => segments.read_part(state, d)?,
            Section::Beginning => {
                (state.archived, state.head, state.time_us) = (d.u64()?, d.decode()?, d.i64()?);
                state.rules = d.decode()?;
                let oldest: Option<Revision> = d.decode()?;
                *requests = RequestsReader::after(segments.finish(state));
                counts.requests = requests.count();
                state.requests.forget_before(oldest.unwrap_or(Revision(u64::MAX)));
            }
            Section::Open => {
                counts.open += read_items(d, |d| {
                    state.handoffs.restore_open(d.decode()?);
                    Ok(())
                })?;
            }
            Section::Handoffs | Section::Tasks => {
                return Err(DecodeError::message("hand-offs and tasks come in pages"));
            }
            Section::Agents => {
                read_items(d, |d| agents.read_item(state, d))?;
                counts.agents = state.agents.len() as u64;
            }
            Section::Requests => {
                read_items(d, |d| requests.read_item(state, d))?;
                counts.requests = requests.count();
            }
            Section::End => {
                let written = Counts {
                    open: d.u64()?,
                    handoffs: d.u64()?,
                    tasks: d.u64()?,
                    agents: d.u64()?,
                    requests: d.u64()?,
                };
                if written != *counts {
                    return Err(DecodeError::message("it has more or fewer items than it says"));
                }
            }
        }
        Ok(())
    }

    /// The state, after the last part.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] if parts are missing.
    pub fn finish(self) -> Result<State, CheckpointError> {
        match self.section {
            Some(Section::End) => Ok(self.state),
            _ => Err(DecodeError::end_of_input().into()),
        }
    }
}
