//! Checkpoints in memory, for tests.
//!
//! Clones share them, so that they survive the server that saved them.

use std::collections::BTreeMap;
use std::io::{self, Cursor};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    CheckpointError, CheckpointHead, CheckpointParts, CheckpointUnreadable, Checkpoints, Segment,
    SegmentHead, SegmentPart, SegmentReader, TakePart,
    encoding::{Kind, Reader, Writer, Written, read_part, unreadable},
    heads::{encode_checkpoint, encode_segment},
    whole::{Source, Whole},
};

type Bytes = Arc<[u8]>;

/// [`Checkpoints`] that last as long as a clone of them.
#[derive(Clone, Debug, Default)]
pub struct MemoryCheckpoints {
    kept: Arc<Mutex<BTreeMap<Arc<str>, OfNamespace>>>,
}

#[derive(Debug, Default)]
struct OfNamespace {
    by_revision: BTreeMap<u64, (CheckpointHead, Bytes)>,
    /// By their first and last revisions.
    segments: BTreeMap<(u64, u64), Bytes>,
}

impl OfNamespace {
    fn remove_unnamed(&mut self) {
        let Self { by_revision, segments } = self;
        segments.retain(|range, _| {
            let mut named = by_revision.values().flat_map(|(head, _)| &head.segments);
            named.any(|segment| (segment.first, segment.last) == *range)
        });
    }
}

impl MemoryCheckpoints {
    fn kept(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, OfNamespace>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Checkpoints for MemoryCheckpoints {
    fn save_segment(
        &mut self,
        head: &SegmentHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<Segment, CheckpointError> {
        let written = write_all(Kind::Segment, &encode_segment(head), write);
        let mut kept = self.kept();
        let of_namespace = kept.entry(Arc::clone(&head.namespace)).or_default();
        let Written { out, bytes, checksum } = written.inspect_err(|_| of_namespace.remove_unnamed())?;
        let SegmentHead { first, last, count, .. } = *head;
        of_namespace.segments.insert((first, last), out.into());
        Ok(Segment { first, last, count, bytes, checksum })
    }

    fn has_segment(&self, namespace: &str, segment: &Segment) -> bool {
        let kept = self.kept();
        let found = kept.get(namespace).and_then(|all| all.segments.get(&(segment.first, segment.last)));
        found.is_some_and(|bytes| bytes.len() as u64 == segment.bytes)
    }

    fn save(
        &mut self,
        head: &CheckpointHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<(), CheckpointError> {
        let written = write_all(Kind::Checkpoint, &encode_checkpoint(head), write);
        let mut kept = self.kept();
        let of_namespace = kept.entry(Arc::clone(&head.namespace)).or_default();
        let Written { out, .. } = written.inspect_err(|_| of_namespace.remove_unnamed())?;
        of_namespace.by_revision.insert(head.revision, (head.clone(), out.into()));
        Ok(())
    }

    fn remove_others(&mut self, namespace: &str, kept: &[u64]) {
        if let Some(of_namespace) = self.kept().get_mut(namespace) {
            of_namespace.by_revision.retain(|at, _| kept.contains(at));
            of_namespace.remove_unnamed();
        }
    }

    fn heads(&self, namespace: &str) -> Result<Vec<CheckpointHead>, CheckpointError> {
        let kept = self.kept();
        let of_namespace = kept.get(namespace).into_iter().flat_map(|all| all.by_revision.values().rev());
        Ok(of_namespace.map(|(head, _)| head.clone()).collect())
    }

    fn open(&self, head: &CheckpointHead) -> Result<Box<dyn CheckpointParts + '_>, CheckpointUnreadable> {
        let kept = self.kept();
        let found = kept.get(&head.namespace).and_then(|all| all.by_revision.get(&head.revision));
        let Some((_, bytes)) = found.filter(|(present, _)| present == head) else {
            return Err(gone());
        };
        let (own, size) = source(bytes);
        let (_, own) = Reader::begin(own, size, Kind::Checkpoint)?;
        let namespace = Arc::clone(&head.namespace);
        let find = move |segment: &Segment| self.find(&namespace, segment);
        Ok(Box::new(Whole::new(head.clone(), own, find)))
    }

    fn segments(&self) -> Box<dyn SegmentReader> {
        Box::new(self.clone())
    }
}

impl SegmentReader for MemoryCheckpoints {
    fn part(&self, namespace: &str, part: &SegmentPart) -> Result<Vec<u8>, CheckpointUnreadable> {
        let kept = self.kept();
        let found = kept.get(namespace).and_then(|all| all.segments.get(&(part.first, part.last)));
        let (input, bytes) = found.map(source).ok_or_else(gone)?;
        read_part(input, bytes, Kind::Segment, part)
    }
}

impl MemoryCheckpoints {
    fn find(&self, namespace: &str, segment: &Segment) -> Source<Cursor<Bytes>> {
        let kept = self.kept();
        let found = kept.get(namespace).and_then(|all| all.segments.get(&(segment.first, segment.last)));
        found.map(source).ok_or_else(gone)
    }
}

fn source(bytes: &Bytes) -> (Cursor<Bytes>, u64) {
    (Cursor::new(Arc::clone(bytes)), bytes.len() as u64)
}

fn write_all(
    kind: Kind,
    head: &[u8],
    write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
) -> Result<Written<Vec<u8>>, CheckpointError> {
    let mut writer = Writer::begin(Vec::new(), kind, head).map_err(failed)?;
    write(&mut |part| writer.part(part).map_err(failed))?;
    writer.end().map_err(failed)
}

fn failed(source: io::Error) -> CheckpointError {
    CheckpointError { what: "write to", path: PathBuf::from("memory"), source }
}

fn gone() -> CheckpointUnreadable {
    unreadable("it is not there any more")
}
