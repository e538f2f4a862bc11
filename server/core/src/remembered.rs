//! What is remembered of one request: enough to tell its answer again.
//!
//! An answer is hardly ever told again, so it is not kept. It is made from the entry that the log has too, as its bytes, and from what that
//! does not say of its task. Knows nothing of how many are remembered.

use minicbor::{Decoder, Encoder, decode::Error as DecodeError};

use crate::{
    Answer, Event, Object, Revision, Task, Text, command::RequestMark, digest::Digest, record::Entry,
};

/// One request, and how its answer is told again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Remembered<'a> {
    /// Of its id.
    pub(crate) key: Digest,
    /// Where it was recorded.
    pub(crate) revision: Revision,
    /// When it was recorded, in microseconds since the Unix epoch.
    pub(crate) time_us: i64,
    /// The entry as a record's body has it. What follows it is as [`Described::write`] gave it.
    pub(crate) entry: &'a [u8],
    /// What the entry does not say of its task, if anything, where that does not follow it.
    pub(crate) described: Option<&'a Described>,
}

/// What an event that changes a task does not say of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Described {
    pub(crate) description: Text,
    pub(crate) metadata: Object,
    pub(crate) metadata_bytes: u64,
}

impl Remembered<'_> {
    /// What was asked, and what was answered. The answer is as the first one, but that its task does not know the path that it took before,
    /// which nobody is shown.
    ///
    /// # Errors
    /// [`DecodeError`] if the entry is not as it was written, or another one.
    pub(crate) fn tell_again(&self) -> Result<(RequestMark, Answer), DecodeError> {
        let mut d = Decoder::new(self.entry);
        let Entry { request, event } = d.decode()?;
        let request = request.filter(|mark| mark.key == self.key);
        let request = request.ok_or_else(|| DecodeError::message("it is of another request"))?;
        let described = match self.described {
            Some(described) => described.clone(),
            None if d.position() < self.entry.len() => Described::read(&mut d)?,
            None => Described::default(),
        };
        Ok((request, Answer::again(event, described, self.revision, self.time_us)))
    }
}

impl Described {
    /// What `event` does not say of the task that `answer` shows; `None`: nothing that would matter.
    pub(crate) fn beside(event: &Event, answer: &Answer) -> Option<Self> {
        match (event, answer) {
            (Event::TaskCreated(_), _) | (_, Answer::State(_) | Answer::Rule { .. }) => None,
            (_, Answer::Task(task) | Answer::Handoff(_, task)) => Some(Self::of(task)),
        }
    }

    fn of(task: &Task) -> Self {
        Self {
            description: task.description.clone(),
            metadata: task.metadata.clone(),
            metadata_bytes: task.metadata_bytes,
        }
    }

    /// In bytes, as the limits count.
    pub(crate) fn size(&self) -> usize {
        let metadata = usize::try_from(self.metadata_bytes).unwrap_or(usize::MAX);
        metadata.saturating_add(self.description.len())
    }

    /// Appends it to `bytes`.
    pub(crate) fn write(&self, bytes: &mut Vec<u8>) {
        let mut e = Encoder::new(bytes);
        let written = e.encode(&self.description).and_then(|e| e.encode(&self.metadata));
        written.expect("writing to memory cannot fail");
    }

    /// Reads what was written.
    pub(crate) fn read(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (description, metadata): (Text, Object) = (d.decode()?, d.decode()?);
        let metadata_bytes = metadata.size() as u64;
        Ok(Self { description, metadata, metadata_bytes })
    }
}
