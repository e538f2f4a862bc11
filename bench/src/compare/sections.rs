//! The questions of `compare`, each as rounds in turn over all that it is put to.
//!
//! Knows the order of turns, and which ratios answer which question.

use baton_proto::v1::{GetTaskRequest, task_service_client::TaskServiceClient};
use tonic::transport::Channel;

use super::{
    commits::Commits,
    contender::{Contender, Mode},
    section::{Finding, Rounds, Section},
};
use crate::{
    drive::{Caller, Measured, Series, closed, median, stock},
    failure::{Failure, While as _},
    options::Options,
    peers::{BareFile, NAMESPACE, create_tasks},
    ring::creation,
    table::thousands,
    tour::Batches,
};

/// Tasks that GetTask asks for in turn.
const TASKS_READ: usize = 1_000;
/// A peer that did less than this times the open loop's rate with all its callers is not asked for that rate: its queue would only grow.
const HEADROOM: f64 = 1.2;

/// Baton and its echo.
const OWN: usize = 2;

/// All that takes part.
pub(super) struct Field {
    /// Those that take hand-offs: Baton first, then the echo, then the others.
    pub contenders: Vec<Box<dyn Contender>>,
    /// The bare file, unless it was left out.
    pub file: Option<BareFile>,
    /// Connections to Baton.
    pub baton: Vec<Channel>,
    /// Connections to the echo.
    pub echo: Vec<Channel>,
    /// Bytes of a hand-off in Baton's log.
    pub handoff_bytes: usize,
}

impl Field {
    /// Stops all but Baton and its echo.
    ///
    /// # Errors
    /// One does not stop.
    pub(super) async fn stop_others(&mut self) -> Result<(), Failure> {
        for contender in self.contenders.split_off(OWN) {
            contender.stop().await?;
        }
        Ok(())
    }

    /// HandOff with `in_flight` calls at any time.
    ///
    /// # Errors
    /// A call fails.
    pub(super) async fn in_flight(
        &mut self,
        in_flight: usize,
        options: &Options,
    ) -> Result<Section, Failure> {
        let mut rounds = Rounds::default();
        let mut batches = Vec::new();
        for _ in 0..options.rounds {
            let mut batch = 1.0;
            for contender in &mut self.contenders {
                let before = Commits::now(&self.baton[0]).await?;
                rounds.push(contender.name(), contender.round(Mode::Closed(in_flight), options).await?);
                if contender.name() == "baton" {
                    batch = Commits::now(&self.baton[0]).await?.batch_since(before);
                }
            }
            batches.push(batch);
            self.file_round(batch, options, &mut rounds).await?;
        }
        let batch = median(batches);
        rounds.note("baton", format!("{batch:.1} hand-offs for each fsync"));
        self.note_file(batch, &mut rounds);
        if in_flight == 1 { Ok(one_section(&rounds)) } else { Ok(in_flight_section(&rounds, in_flight)) }
    }

    /// HandOff at a rate that does not wait for answers. `closed` is what each came to when it did.
    ///
    /// # Errors
    /// A call fails.
    pub(super) async fn open(
        &mut self,
        per_second: f64,
        closed: Option<&Section>,
        options: &Options,
    ) -> Result<Section, Failure> {
        let fast_enough = |name: &str| {
            let row = closed.and_then(|section| section.rows.iter().find(|row| row.who == name));
            row.is_none_or(|row| row.rate >= per_second * HEADROOM)
        };
        let mut rounds = Rounds::default();
        for _ in 0..options.rounds {
            for contender in self.contenders.iter_mut().filter(|contender| fast_enough(contender.name())) {
                rounds.push(contender.name(), contender.round(Mode::Open(per_second), options).await?);
            }
        }
        let slow: Vec<&str> = self
            .contenders
            .iter()
            .map(|contender| contender.name())
            .filter(|name| !fast_enough(name))
            .collect();
        let mut detail = "latency from when each should have been sent".to_owned();
        if !slow.is_empty() {
            detail.push_str(&format!("; too slow for it, so left out: {}", slow.join(", ")));
        }
        let title = format!("HandOff, open loop, {} each second", thousands(per_second));
        Ok(Section { name: "open", title, detail, rows: rounds.rows(), findings: Vec::new() })
    }

    /// BatchHandOff of `size`, with `in_flight` batches at any time, beside the bare file.
    ///
    /// # Errors
    /// A call fails.
    pub(super) async fn batch(
        &mut self,
        size: usize,
        in_flight: usize,
        options: &Options,
    ) -> Result<Section, Failure> {
        let mut callers: Vec<Batches> = (0..in_flight)
            .map(|index| {
                let channel = self.baton[index % self.baton.len()].clone();
                Batches::new(format!("batch-{index}"), NAMESPACE, size, channel)
            })
            .collect();
        let (mut rounds, mut batches) = (Rounds::default(), Vec::new());
        for _ in 0..options.rounds {
            let rate = rounds.of("baton").and_then(Series::last).map_or(0.0, Measured::rate) / size as f64;
            stock(&mut callers, in_flight, options.calls_expected(rate, in_flight)).await?;
            let before = Commits::now(&self.baton[0]).await?;
            rounds.push("baton", closed(&mut callers, in_flight, options.window()).await?);
            let batch = Commits::now(&self.baton[0]).await?.batch_since(before);
            batches.push(batch);
            self.file_round(batch, options, &mut rounds).await?;
        }
        let batch = median(batches);
        rounds.note("baton", format!("{batch:.0} hand-offs for each fsync"));
        self.note_file(batch, &mut rounds);
        let file = rounds.finding(
            "rate as a share of the bare file's, same batches",
            ["baton", BareFile::NAME],
            Measured::rate,
            "at least 0.4",
        );
        let title = format!("BatchHandOff of {size}, {in_flight} in flight");
        let detail = "rates in hand-offs, latencies of batches".to_owned();
        Ok(Section {
            name: "batch",
            title,
            detail,
            rows: rounds.rows(),
            findings: file.into_iter().collect(),
        })
    }

    /// GetTask beside an echo of a task of the same size.
    ///
    /// # Errors
    /// A call fails.
    pub(super) async fn get(&self, in_flight: usize, options: &Options) -> Result<Section, Failure> {
        let ids: Vec<String> = (0..TASKS_READ).map(|index| format!("read-task-{index}")).collect();
        let tasks = ids.iter().map(|id| creation(id.clone(), "reader-agent-0".into())).collect();
        create_tasks(&self.baton[0], NAMESPACE, tasks).await?;
        let mut rounds = Rounds::default();
        for _ in 0..options.rounds {
            for (name, channels) in [("baton", &self.baton), ("echo", &self.echo)] {
                let mut callers: Vec<Gets> = (0..in_flight)
                    .map(|index| Gets::new(&channels[index % channels.len()], &ids, index))
                    .collect();
                rounds.push(name, closed(&mut callers, in_flight, options.window()).await.during(name)?);
            }
        }
        let found = rounds.finding(
            "rate as a share of the echo's",
            ["baton", "echo"],
            Measured::rate,
            "at least 0.9",
        );
        let title = format!("GetTask, {in_flight} in flight");
        Ok(Section {
            name: "get",
            title,
            detail: String::new(),
            rows: rounds.rows(),
            findings: found.into_iter().collect(),
        })
    }

    async fn file_round(
        &mut self,
        batch: f64,
        options: &Options,
        rounds: &mut Rounds,
    ) -> Result<(), Failure> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let (measured, file) =
            file.round(batch.round() as u64, self.handoff_bytes, options.window()).await.during("file")?;
        self.file = Some(file);
        rounds.push(BareFile::NAME, measured);
        Ok(())
    }

    fn note_file(&self, batch: f64, rounds: &mut Rounds) {
        let bytes = self.handoff_bytes;
        rounds.note(
            BareFile::NAME,
            format!("append of {:.0} × {bytes} bytes, fdatasync; its latencies", batch.round()),
        );
    }
}

fn in_flight_section(rounds: &Rounds, in_flight: usize) -> Section {
    let against = [
        ("rate as a share of the echo's", "echo", "at least 0.75"),
        ("rate as a share of Redis's", "redis", "above 1"),
        ("rate as a share of PostgreSQL's", "postgres", ""),
        ("rate as a share of etcd's", "etcd", ""),
        ("rate as a share of MACP's", "macp", ""),
    ];
    let findings = against
        .into_iter()
        .filter_map(|(what, other, target)| rounds.finding(what, ["baton", other], Measured::rate, target))
        .collect();
    let title = format!("HandOff, closed loop, {in_flight} in flight");
    Section { name: "in-flight", title, detail: String::new(), rows: rounds.rows(), findings }
}

fn one_section(rounds: &Rounds) -> Section {
    let title = "HandOff, closed loop, one call at a time".to_owned();
    Section {
        name: "one",
        title,
        detail: String::new(),
        rows: rounds.rows(),
        findings: one_finding(rounds).into_iter().collect(),
    }
}

/// The p50 of Baton as a share of what cannot be avoided: the call and the fdatasync, each at its own p50 of the same round.
fn one_finding(rounds: &Rounds) -> Option<Finding> {
    let p50 = |who: &str| Some(rounds.of(who)?.rounds().iter().map(|round| round.latency().p50));
    let ratios: Vec<f64> = p50("baton")?
        .zip(p50("echo")?.zip(p50(BareFile::NAME)?))
        .map(|(baton, (echo, file))| baton / (echo + file))
        .collect();
    Some(Finding {
        what: "p50 as a share of echo p50 + fdatasync p50".into(),
        ratio: median(ratios),
        target: "at most 1.3",
    })
}

/// A caller that gets tasks, one a call.
struct Gets {
    client: TaskServiceClient<Channel>,
    ids: Vec<String>,
    next: usize,
    request: GetTaskRequest,
}

impl Gets {
    fn new(channel: &Channel, ids: &[String], first: usize) -> Self {
        Self {
            client: TaskServiceClient::new(channel.clone()),
            ids: ids.to_vec(),
            next: first,
            request: GetTaskRequest::default(),
        }
    }
}

impl Caller for Gets {
    async fn stock(&mut self, _calls: usize) -> Result<(), Failure> {
        Ok(())
    }

    async fn ready(&mut self) -> Result<(), Failure> {
        self.next = (self.next + 1) % self.ids.len();
        self.request = GetTaskRequest { namespace: NAMESPACE.into(), task_id: self.ids[self.next].clone() };
        Ok(())
    }

    async fn send(&mut self) -> Result<u64, Failure> {
        self.client.get_task(std::mem::take(&mut self.request)).await?;
        Ok(1)
    }
}
