//! All parts of a checkpoint: first those of the segments that it builds on, each held against what the checkpoint says of it, then its own.
//!
//! Knows nothing of where they are kept.

use std::io::Read;

use super::{
    CheckpointHead, CheckpointParts, CheckpointUnreadable, Segment, SegmentHead,
    encoding::{Kind, Reader, unreadable},
    heads::encode_segment,
};

/// What a segment is read from, and how many bytes that has.
pub(super) type Source<R> = Result<(R, u64), CheckpointUnreadable>;

/// Finds a segment.
type Find<'a, R> = dyn Fn(&Segment) -> Source<R> + Send + 'a;

/// Reads a checkpoint and its segments.
pub(super) struct Whole<'a, R> {
    head: CheckpointHead,
    own: Reader<R>,
    find: Box<Find<'a, R>>,
    /// Which segment comes next.
    next: usize,
    /// The one that is being read.
    segment: Option<Reader<R>>,
    /// The one after it, so that it may be fetched meanwhile.
    coming: Option<Source<R>>,
}

impl<'a, R: Read> Whole<'a, R> {
    /// Reads a checkpoint whose head was read, and its segments from where `find` says that they are.
    pub(super) fn new(
        head: CheckpointHead,
        own: Reader<R>,
        find: impl Fn(&Segment) -> Source<R> + Send + 'a,
    ) -> Self {
        Self { head, own, find: Box::new(find), next: 0, segment: None, coming: None }
    }

    /// The next part of a segment, if there is one.
    fn part_of_segment(&mut self) -> Result<Option<Vec<u8>>, CheckpointUnreadable> {
        while let Some(segment) = self.head.segments.get(self.next) {
            let told = |why: CheckpointUnreadable| told_of(segment, &why);
            let reader = match &mut self.segment {
                Some(reader) => reader,
                none => {
                    let source = self.coming.take().unwrap_or_else(|| (self.find)(segment));
                    self.coming = self.head.segments.get(self.next + 1).map(&self.find);
                    none.insert(open(&self.head, segment, source).map_err(told)?)
                }
            };
            if let Some(part) = reader.part().map_err(told)? {
                return Ok(Some(part));
            }
            if reader.checksum() != segment.checksum {
                return Err(told(unreadable("it is not the one that the checkpoint builds on")));
            }
            (self.next, self.segment) = (self.next + 1, None);
        }
        Ok(None)
    }
}

impl<R: Read + Send> CheckpointParts for Whole<'_, R> {
    fn next_part(&mut self) -> Result<Option<Vec<u8>>, CheckpointUnreadable> {
        match self.part_of_segment()? {
            Some(part) => Ok(Some(part)),
            None => self.own.part(),
        }
    }
}

fn open<R: Read>(
    checkpoint: &CheckpointHead,
    segment: &Segment,
    source: Source<R>,
) -> Result<Reader<R>, CheckpointUnreadable> {
    let (input, bytes) = source?;
    let CheckpointHead { namespace, format, .. } = checkpoint;
    let Segment { first, last, count, .. } = *segment;
    let expected = SegmentHead { namespace: namespace.clone(), first, last, count, format: *format };
    let (head, reader) = Reader::begin(input, bytes, Kind::Segment)?;
    if head != encode_segment(&expected) {
        return Err(unreadable("it is another one than its name says"));
    }
    Ok(reader)
}

fn told_of(segment: &Segment, why: &CheckpointUnreadable) -> CheckpointUnreadable {
    unreadable(format!("its segment of revisions {} to {}: {why}", segment.first, segment.last))
}
