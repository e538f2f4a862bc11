//! The machine that figures were measured on, and what a process uses of it. Linux only: it reads `/proc`.

use std::{fs, path::Path};

use serde::Serialize;

use crate::failure::{Failure, While as _};

/// Ticks in which `/proc` counts processor time, in a second: `USER_HZ`, which Linux fixes on all its usual architectures.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a reader of the figures must know of the machine.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    /// Model of the processor, as Linux names it.
    pub processor: String,
    /// Processors that this program may use.
    pub processors: usize,
    /// Memory in all, in MiB.
    pub memory_mib: u64,
    /// Release of the kernel.
    pub kernel: String,
    /// File system of the folder where servers keep their data.
    pub file_system: String,
}

impl Machine {
    /// Describes this machine; `data` is the folder where servers keep their data.
    pub(crate) fn describe(data: &Path) -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or("unknown").to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: kib(&read("/proc/meminfo"), "MemTotal").unwrap_or(0) / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: file_system(&read("/proc/mounts"), data).unwrap_or_else(|| "unknown".into()),
        }
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} × {}, {} MiB, Linux {}, {}",
            self.processors, self.processor, self.memory_mib, self.kernel, self.file_system
        )
    }
}

/// Resident memory of a process, in bytes.
///
/// # Errors
/// There is no such process.
pub(crate) fn resident_bytes(process: u32) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))
        .during(format_args!("reading the memory of process {process}"))?;
    let kib = kib(&status, "VmRSS").ok_or_else(|| Failure::new(format!("process {process} has ended")))?;
    Ok(kib * 1024)
}

/// Processor time that a process has used, in seconds.
///
/// # Errors
/// There is no such process.
pub(crate) fn processor_seconds(process: u32) -> Result<f64, Failure> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))
        .during(format_args!("reading the processor time of process {process}"))?;
    // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th after it.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks =
        after_name.split_ascii_whitespace().skip(11).take(2).filter_map(|text| text.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / TICKS_PER_SECOND)
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':').map(|(_, value)| value.trim()))
}

fn kib(text: &str, name: &str) -> Option<u64> {
    field(text, name)?.strip_suffix("kB")?.trim().parse().ok()
}

/// The type of the file system that `folder` is on: the longest mount point that is above it.
fn file_system(mounts: &str, folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mut of_mount = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (point, kind) = (words.next()?, words.next()?);
        folder.starts_with(point).then_some((point.len(), kind))
    });
    let first = of_mount.next()?;
    let (_, kind) = of_mount.fold(first, |best, next| if next.0 >= best.0 { next } else { best });
    Some(kind.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{file_system, kib, processor_seconds, resident_bytes};

    #[test]
    fn memory_is_read_from_the_line_of_its_name() {
        let status = "Name:\tbaton\nVmSize:\t  900 kB\nVmRSS:\t   12345 kB\nThreads:\t3\n";
        assert_eq!(kib(status, "VmRSS"), Some(12_345));
        assert_eq!(kib(status, "VmSwap"), None);
    }

    #[test]
    fn this_process_uses_memory_and_time() {
        let own = std::process::id();
        assert!(resident_bytes(own).expect("it runs") > 100_000);
        assert!(processor_seconds(own).expect("it runs") < 1_000_000.0);
    }

    #[test]
    fn the_deepest_mount_above_a_folder_is_the_one_it_is_on() {
        let mounts = "dev / ext4 rw 0 0\nproc /proc proc rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/proc")).as_deref(), Some("proc"));
        assert_eq!(file_system(mounts, Path::new("/")).as_deref(), Some("ext4"));
    }
}
