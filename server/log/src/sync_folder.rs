//! Makes changes of a folder's entries durable.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes the creation, renaming and removal of files in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    // The parent of a relative path of one part is the empty path.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}
