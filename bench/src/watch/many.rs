//! `watch many`: ten thousand watchers of one server. Whether each gets every event, what an idle one costs, and what one costs that never reads.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use baton_proto::v1::BatchHandOffResponse;
use bytes::Bytes;
use clap::{Args, value_parser};
use prost::Message as _;
use serde::Serialize;
use tonic::transport::Channel;

use super::{
    Crowd, Reader, batches,
    crowd::watch,
    from_now,
    scan::{Event, each_event},
    settings,
};
use crate::{
    baton::{Baton, BatonProgram, data_folder},
    drive::{fixed, median, stock},
    failure::Failure,
    machine::Machine,
    memory::{Sampler, peak},
    options::Options,
    output::{progress, show},
    plot::{Axis, Bar, Scale, bars, save},
    table::{Column, mebibytes, table, thousands, time},
    tour::Batches,
};

/// How often the server's memory is looked at.
const SAMPLE_EVERY: Duration = Duration::from_millis(50);

/// Arguments of `watch many`.
#[derive(Debug, Args)]
pub(crate) struct ManyArgs {
    /// Watchers
    #[arg(long, default_value_t = 10_000, value_name = "WATCHERS", value_parser = value_parser!(u32).range(1..=1_000_000))]
    watchers: u32,
    /// Connections that the watchers share
    #[arg(long, default_value_t = 100, value_name = "CONNECTIONS", value_parser = value_parser!(u16).range(1..=10_000))]
    watch_connections: u16,
    /// Hand-offs that each of them must get, in each pass
    #[arg(long, default_value_t = 2_000, value_name = "HAND-OFFS", value_parser = value_parser!(u32).range(1..=1_000_000))]
    handoffs: u32,
    /// Hand-offs in one BatchHandOff
    #[arg(long, default_value_t = 100, value_name = "HAND-OFFS", value_parser = value_parser!(u16).range(1..=1_000))]
    batch: u16,
    #[command(flatten)]
    options: Options,
}

/// The figures of a run.
#[derive(Debug, Serialize)]
struct Report {
    command: &'static str,
    machine: Machine,
    rounds: u16,
    watchers: u32,
    watch_connections: u16,
    handoffs: u64,
    resident_before_bytes: u64,
    resident_connected_bytes: u64,
    resident_idle_bytes: u64,
    bytes_per_connection: f64,
    bytes_per_idle_watcher: f64,
    events_verified: u64,
    seconds_all_read: f64,
    seconds_one_never_reads: f64,
    resident_peak_all_read_bytes: u64,
    resident_peak_one_never_reads_bytes: u64,
}

/// A watcher that accepts each revision once and in order, without gaps, and nothing else.
#[derive(Debug, Default)]
struct Strict {
    wanted: u64,
    first: u64,
    next: u64,
    got: u64,
}

impl Reader for Strict {
    fn read(&mut self, message: Bytes) -> Result<bool, Failure> {
        let mut wrong = None;
        each_event(&message, |Event { revision, .. }| {
            if self.got == 0 {
                (self.first, self.next) = (revision, revision);
            }
            if revision != self.next {
                wrong = wrong.or(Some((self.next, revision)));
            }
            self.next = revision + 1;
            self.got += 1;
        })?;
        match wrong {
            Some((wanted, got)) => {
                Err(Failure::new(format!("a watcher got revision {got} instead of {wanted}")))
            }
            None => Ok(self.got >= self.wanted),
        }
    }
}

/// What one pass came to.
struct Pass {
    seconds: f64,
    resident_peak: u64,
    verified: u64,
}

/// The server, those who hand off and those who watch.
struct Stage {
    server: Baton,
    callers: Vec<Batches>,
    watch: Vec<Channel>,
    answered: Arc<Mutex<Vec<u64>>>,
    calls: usize,
    wanted: u64,
}

/// Memory of the server before anything happens, in bytes.
struct Resident {
    before: u64,
    connected: u64,
    idle: u64,
}

/// Runs the command.
///
/// # Errors
/// A server cannot be started; a watcher misses something; the figures cannot be written.
pub(crate) async fn run(args: ManyArgs) -> Result<(), Failure> {
    let options = &args.options;
    let (mut stage, resident) = Stage::start(&args).await?;
    let (mut all_read, mut one_never_reads) = (Vec::new(), Vec::new());
    for round in 1..=options.rounds {
        progress(&format!(
            "round {round}: {} hand-offs to {} watchers that read",
            stage.wanted, args.watchers
        ));
        all_read.push(stage.pass(args.watchers).await?);
        progress(&format!("round {round}: the same with one more that never reads"));
        one_never_reads.push(stage.pass_with_one_that_never_reads(args.watchers).await?);
    }
    let report = Report::of(&args, stage.wanted, &resident, [&all_read, &one_never_reads]);
    stage.stop().await?;
    if let Some(folder) = &options.plots {
        save(folder, "watch-many-memory", &report.plot())?;
    }
    show(options.json, &report, || report.text())
}

/// Memory of the server with watchers that are told nothing.
async fn idle_memory(server: &Baton, watch: &[Channel], watchers: u32) -> Result<u64, Failure> {
    progress(&format!("{watchers} watchers, nothing happens"));
    let readers = (0..watchers).map(|_| Strict { wanted: 1, ..Strict::default() }).collect();
    let crowd = Crowd::open(watch, &from_now(), readers).await?;
    let idle = server.settled_bytes().await?;
    drop(crowd);
    Ok(idle)
}

fn note_answer(answered: &Mutex<Vec<u64>>, response: &BatchHandOffResponse) {
    let revisions = response.results.iter().filter_map(|result| Some(result.handoff.as_ref()?.revision));
    answered.lock().unwrap_or_else(PoisonError::into_inner).extend(revisions);
}

impl Stage {
    /// Starts the server and reads its memory: alone, with connections, and with idle watchers.
    async fn start(args: &ManyArgs) -> Result<(Self, Resident), Failure> {
        let program = BatonProgram::find(&args.options)?;
        let server = program.start(&settings(args.watchers, args.watch_connections)).await?;
        let before = server.settled_bytes().await?;
        let watch = server.connect(args.watch_connections).await?;
        let connected = server.settled_bytes().await?;
        let idle = idle_memory(&server, &watch, args.watchers).await?;
        let answered: Arc<Mutex<Vec<u64>>> = Arc::default();
        let noting = |caller: Batches| {
            let answered = Arc::clone(&answered);
            caller.on_answer(move |response| note_answer(&answered, response))
        };
        let callers =
            batches(&server.connect(1).await?, 1, args.batch.into()).into_iter().map(noting).collect();
        let calls = (args.handoffs as usize).div_ceil(args.batch.into());
        let wanted = (calls * usize::from(args.batch)) as u64;
        let resident = Resident { before, connected, idle };
        Ok((Self { server, callers, watch, answered, calls, wanted }, resident))
    }

    async fn stop(self) -> Result<(), Failure> {
        drop((self.callers, self.watch));
        self.server.stop().await?;
        Ok(())
    }

    /// Hands off, and waits until every watcher has everything; compares that with what was answered.
    async fn pass(&mut self, watchers: u32) -> Result<Pass, Failure> {
        let count = self.callers.len();
        stock(&mut self.callers, count, self.calls).await?;
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let readers = (0..watchers).map(|_| Strict { wanted: self.wanted, ..Strict::default() }).collect();
        let crowd = Crowd::open(&self.watch, &from_now(), readers).await?;
        let sampler = Sampler::start(self.server.process(), SAMPLE_EVERY);
        let begun = Instant::now();
        fixed(&mut self.callers, self.calls).await?;
        let readers = crowd.finish().await?;
        let seconds = begun.elapsed().as_secs_f64();
        let resident_peak = peak(&sampler.stop().await?);
        self.verify(&readers)?;
        Ok(Pass { seconds, resident_peak, verified: readers.iter().map(|reader| reader.got).sum() })
    }

    /// The same beside a watcher that was begun and is never read, on a connection of its own.
    async fn pass_with_one_that_never_reads(&mut self, watchers: u32) -> Result<Pass, Failure> {
        let own = self.server.connect(1).await?.remove(0);
        let never_read = watch(own, from_now().encode_to_vec().into()).await?;
        let pass = self.pass(watchers).await;
        drop(never_read);
        pass
    }

    /// Every watcher had exactly the hand-offs that were answered: dense from the first of them to the last.
    fn verify(&self, readers: &[Strict]) -> Result<(), Failure> {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let first = answered.iter().min().copied().unwrap_or_default();
        let last = answered.iter().max().copied().unwrap_or_default();
        let wrong = readers
            .iter()
            .find(|reader| reader.got != self.wanted || reader.first != first || reader.next != last + 1);
        match wrong {
            None => Ok(()),
            Some(reader) => Err(Failure::new(format!(
                "revisions {first} to {last} were answered, but a watcher got {reader:?}"
            ))),
        }
    }
}

impl Report {
    fn of(args: &ManyArgs, handoffs: u64, resident: &Resident, passes: [&[Pass]; 2]) -> Self {
        let [all_read, one_never_reads] = passes;
        let seconds = |passes: &[Pass]| median(passes.iter().map(|pass| pass.seconds).collect());
        let peak = |passes: &[Pass]| passes.iter().map(|pass| pass.resident_peak).max().unwrap_or_default();
        let grown = |from: u64, to: u64| to.saturating_sub(from) as f64;
        Self {
            command: "watch many",
            machine: Machine::describe(&data_folder(&args.options)),
            rounds: args.options.rounds,
            watchers: args.watchers,
            watch_connections: args.watch_connections,
            handoffs,
            resident_before_bytes: resident.before,
            resident_connected_bytes: resident.connected,
            resident_idle_bytes: resident.idle,
            bytes_per_connection: grown(resident.before, resident.connected)
                / f64::from(args.watch_connections),
            bytes_per_idle_watcher: grown(resident.connected, resident.idle) / f64::from(args.watchers),
            events_verified: passes.into_iter().flatten().map(|pass| pass.verified).sum(),
            seconds_all_read: seconds(all_read),
            seconds_one_never_reads: seconds(one_never_reads),
            resident_peak_all_read_bytes: peak(all_read),
            resident_peak_one_never_reads_bytes: peak(one_never_reads),
        }
    }

    fn text(&self) -> String {
        let columns = [Column::Text("SERVER"), Column::Number("RSS"), Column::Text("EACH")];
        let row = |name: &str, bytes: u64, each: String| vec![name.into(), mebibytes(bytes as f64), each];
        let kib = |bytes: f64| format!("{:.1} KiB", bytes / 1024.0);
        let rows = [
            row("started", self.resident_before_bytes, String::new()),
            row(
                "connected",
                self.resident_connected_bytes,
                format!("{} a connection", kib(self.bytes_per_connection)),
            ),
            row(
                "watched, idle",
                self.resident_idle_bytes,
                format!("{} a watcher beyond that (aim: at most 16 KiB)", kib(self.bytes_per_idle_watcher)),
            ),
            row("busy, peak", self.resident_peak_all_read_bytes, String::new()),
            row("busy, one never reads, peak", self.resident_peak_one_never_reads_bytes, String::new()),
        ];
        format!(
            "machine  {}\n{} watchers on {} connections, {} hand-offs in each pass, {} rounds; medians\n\n{}\n\
             every watcher got every event, once and in order: {} verified\n\
             all read: {}; one more that never reads: {}\n",
            self.machine.line(),
            thousands(self.watchers.into()),
            self.watch_connections,
            thousands(self.handoffs as f64),
            self.rounds,
            table(&columns, &rows),
            thousands(self.events_verified as f64),
            time(self.seconds_all_read * 1e6),
            time(self.seconds_one_never_reads * 1e6),
        )
    }

    fn plot(&self) -> String {
        let bar = |name: &str, bytes: u64| Bar {
            name: name.into(),
            value: bytes as f64 / 1_048_576.0,
            label: mebibytes(bytes as f64),
            marked: true,
        };
        bars(
            &format!(
                "Memory of the server – {} watchers on {} connections",
                thousands(self.watchers.into()),
                self.watch_connections
            ),
            &Axis::new("resident memory, MiB", Scale::Linear),
            &[
                bar("started", self.resident_before_bytes),
                bar("connected", self.resident_connected_bytes),
                bar("watched, idle", self.resident_idle_bytes),
                bar("busy", self.resident_peak_all_read_bytes),
                bar("one never reads", self.resident_peak_one_never_reads_bytes),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use baton_proto::v1::{HandoffEvent, WatchHandoffsResponse};
    use prost::Message as _;

    use super::{Reader as _, Strict};

    fn message(revisions: &[u64]) -> bytes::Bytes {
        let event = |&revision: &u64| HandoffEvent { revision, ..Default::default() };
        let events = revisions.iter().map(event).collect();
        WatchHandoffsResponse { events, ..Default::default() }.encode_to_vec().into()
    }

    #[test]
    fn a_gap_a_repetition_and_a_wrong_order_are_noticed() {
        for second in [&[9][..], &[7, 8], &[10, 9]] {
            let mut strict = Strict { wanted: 10, ..Strict::default() };
            assert!(!strict.read(message(&[6, 7])).expect("in order"));
            assert!(strict.read(message(second)).is_err(), "{second:?} after 6 and 7");
        }
        let mut strict = Strict { wanted: 3, ..Strict::default() };
        assert!(!strict.read(message(&[6, 7])).expect("in order"));
        assert!(strict.read(message(&[8])).expect("in order"), "it has all three");
    }
}
