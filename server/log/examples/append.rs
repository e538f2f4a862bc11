//! Appends to a log in a folder of its own, for a profiler to look at: `append RECORDS BYTES APPENDS`.
//!
//! Each append has a record of so many bytes for each of so many namespaces. Run it under `valgrind --tool=callgrind
//! --toggle-collect='*append_rows*'` to count what one append costs besides the disk. Knows nothing of what record bodies mean.

use std::env;
use std::error::Error;
use std::thread;

use baton_log::testing::next_append;
use baton_log::{Log, SqliteLog, SqliteOptions};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    let arguments =
        env::args().skip(1).map(|argument| argument.parse()).collect::<Result<Vec<usize>, _>>()?;
    let [records, bytes, appends] = *arguments else {
        return Err("usage: append RECORDS BYTES APPENDS".into());
    };
    // On a thread of its own, as in the server: memory of other threads than the first costs something else.
    let appending = thread::spawn(move || append(records, bytes, appends));
    appending.join().unwrap_or_else(|_| Err("a defect: the append panicked".into()))
}

fn append(records: usize, bytes: usize, appends: usize) -> Outcome {
    let folder = tempfile::tempdir()?;
    let mut log = SqliteLog::open(folder.path(), &SqliteOptions::default())?;
    let namespaces: Vec<String> = (0..records).map(|number| format!("tenant-{number:04}")).collect();
    for _ in 0..appends {
        let batch: Vec<_> =
            namespaces.iter().map(|namespace| next_append(&log, namespace, 1, bytes)).collect();
        log.append(&batch)?;
    }
    Ok(())
}
