//! A bare file: bytes are appended and made durable by fdatasync, in the batches that Baton had. The least that durable can cost on this disk.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    baton::new_folder,
    drive::{Measured, Window},
    failure::{Failure, While as _},
};

/// A file in a folder of its own.
pub(crate) struct BareFile {
    file: File,
    // Removed when dropped.
    _folder: TempDir,
}

impl BareFile {
    /// What it is called in tables.
    pub(crate) const NAME: &'static str = "file";

    /// An empty file.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn create(data: &Path) -> Result<Self, Failure> {
        let folder = new_folder(data)?;
        let file = File::options()
            .create_new(true)
            .append(true)
            .open(folder.path().join("log"))
            .during("creating a bare file")?;
        Ok(Self { file, _folder: folder })
    }

    /// Appends batches of `handoffs` hand-offs of `handoff_bytes` each until the window ends, each made durable.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) async fn round(
        self,
        handoffs: u64,
        handoff_bytes: usize,
        window: Window,
    ) -> Result<(Measured, Self), Failure> {
        tokio::task::spawn_blocking(move || {
            let measured = append(&self.file, handoffs, handoff_bytes, window)?;
            Ok((measured, self))
        })
        .await?
    }
}

fn append(mut file: &File, handoffs: u64, handoff_bytes: usize, window: Window) -> Result<Measured, Failure> {
    let mut measured = Measured::new(window.length());
    let mut batch = vec![0; usize::try_from(handoffs).unwrap_or(usize::MAX).saturating_mul(handoff_bytes)];
    let mut written: u8 = 0;
    while Instant::now() < window.end {
        // Not the same bytes each time, for file systems that would notice.
        written = written.wrapping_add(1);
        batch.fill(written);
        let begun = Instant::now();
        file.write_all(&batch)?;
        file.sync_data()?;
        let took: Duration = begun.elapsed();
        if window.counts(Instant::now()) {
            measured.record(handoffs, took);
        }
    }
    Ok(measured)
}
