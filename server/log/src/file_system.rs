//! What cannot be relied upon on the file system that a folder is on.
//!
//! Knows nothing of what is kept there.

use std::path::Path;

/// Whether to touch memory that a file in this folder is mapped to can kill the process, though nothing else has failed: because the disk is
/// full, or since the file system cannot really share such memory.
pub(crate) fn maps_may_fail(folder: &Path) -> bool {
    system::maps_may_fail(folder)
}

#[cfg(target_os = "linux")]
mod system {
    use std::path::Path;

    use rustix::fs::statfs;

    /// Their numbers, as statfs(2) and the kernel's magic.h give them. On the first two a page that is written to needs new room; the others are
    /// provided by another process or machine.
    const MAPS_MAY_FAIL: [u32; 7] = [
        0x9123_683e, // btrfs
        0xca45_1a4e, // bcachefs
        0x6573_5546, // FUSE, and with it virtiofs
        0x0102_1997, // 9p
        0x6969,      // NFS
        0xff53_4d42, // CIFS
        0xfe53_4d42, // SMB 2
    ];

    pub(super) fn maps_may_fail(folder: &Path) -> bool {
        // The number is 32 bits wide, in a field that is wider on most machines.
        statfs(folder).is_ok_and(|found| MAPS_MAY_FAIL.contains(&(found.f_type as u32)))
    }
}

/// Elsewhere nothing is known.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::Path;

    pub(super) fn maps_may_fail(_: &Path) -> bool {
        false
    }
}
