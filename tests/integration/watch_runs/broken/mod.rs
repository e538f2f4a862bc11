//! Each validator complains of the server that breaks what it guards, and of no other.

mod fault;
mod server;

use std::collections::BTreeSet;

use baton_proto::v1::{EventType, WatchFilter, WatchHandoffsRequest};
use tokio::sync::watch;

use super::{
    observed::{End, Seen, Stream, Watch},
    truth::Truth,
    validators::{Promise, violations},
    watcher::{end, head},
    writer::Writer,
};
use crate::harness::{Clients, Disk, TestServer, in_time};
use fault::Fault;
use server::BrokenServer;

/// The namespace of all of this.
const NAMESPACE: &str = "default";
/// Calls of the writer.
const CALLS: u64 = 120;

/// What a watch asks for.
#[derive(Clone, Copy, Debug)]
enum Asks {
    All,
    Handoffs,
    Completed,
    FromNow,
    Snapshot,
}

/// Every fault, where it is looked for, and who must complain.
fn table() -> Vec<(Fault, Asks, &'static [Promise])> {
    use Asks::*;
    use Fault::*;
    use Promise::*;
    let mut rows: Vec<(Fault, Asks, &'static [Promise])> = vec![
        (DropEvent, Handoffs, &[Complete]),
        (DropEvent, All, &[Complete, Dense]),
        (DropMessage, Handoffs, &[Complete]),
        (DropMessage, All, &[Complete, Dense]),
        (RepeatEvent, Handoffs, &[Unique]),
        (RepeatMessage, Handoffs, &[Unique, Promise::Progress]),
        (SwapEvents, Handoffs, &[Ordered]),
        (SwapMessages, Handoffs, &[Ordered, Promise::Progress]),
        (ResumeLate, All, &[Complete, Dense, Resumable]),
        (ResumeEarly, All, &[Unique, Resumable, Promise::Progress]),
        (BeginEarly, FromNow, &[Promise::Progress]),
        (TellAhead, All, &[Promise::Progress]),
        (TellBeyond, Handoffs, &[Promise::Progress]),
        (TellBeforeEvents, Handoffs, &[Promise::Progress]),
        (TellBack, Handoffs, &[Promise::Progress]),
        (LetThrough, Completed, &[Filtered]),
        (TaskUnmoved, All, &[True, Agreed, Atomic]),
        (EpochUnraised, All, &[True, Agreed, Atomic]),
        (StateUnmoved, All, &[True, Agreed, Atomic]),
        (StatusLate, All, &[True, Agreed, Atomic]),
        (Alter, Handoffs, &[True, Agreed]),
        (OtherLog, Handoffs, &[LogId]),
        (ForgetOpen, Asks::Snapshot, &[Promise::Snapshot]),
        (ForgetTooMuch, All, &[Gap]),
        (EndSilently, Handoffs, &[Ended]),
        (SendAheadAtStop, Handoffs, &[Resumable]),
        (SendBackAtStop, All, &[Resumable]),
    ];
    rows.extend([All, Handoffs, Completed, FromNow, Asks::Snapshot].map(|asks| (Fault::None, asks, &[][..])));
    rows
}

fn request(asks: Asks) -> WatchHandoffsRequest {
    let types = vec![EventType::HandoffCompleted.into()];
    let completed = WatchFilter { types, ..Default::default() };
    let from_start = WatchHandoffsRequest {
        namespace: NAMESPACE.to_owned(),
        start_revision: 1,
        progress_interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
        ..Default::default()
    };
    match asks {
        Asks::All => WatchHandoffsRequest { all_events: true, ..from_start },
        Asks::Handoffs => from_start,
        Asks::Completed => WatchHandoffsRequest { filter: Some(completed), ..from_start },
        Asks::FromNow => WatchHandoffsRequest { start_revision: 0, ..from_start },
        Asks::Snapshot => WatchHandoffsRequest { start_revision: 0, snapshot: true, ..from_start },
    }
}

/// Watches until half is told, leaves, and goes on from there until the server stops.
async fn watch(
    name: &str,
    mut watching: Clients,
    mut asking: Clients,
    first: WatchHandoffsRequest,
    told: watch::Sender<u64>,
) -> Watch {
    let newest = head(&mut asking, NAMESPACE).await.expect("the server is there");
    let mut streams = Vec::new();
    let mut request = first.clone();
    let (mut until, mut log_id) = (newest / 2, String::new());
    loop {
        let head_before = if request.start_revision == 0 { newest } else { 0 };
        let incoming = watching.watch(request.clone()).await;
        let mut stream = Stream::new(request, head_before);
        let mut incoming = match incoming {
            Ok(incoming) => incoming,
            Err(status) => {
                stream.end = end(status);
                let End::Compacted { oldest, .. } = stream.end else { panic!("{}", stream.describe()) };
                stream.acted = Some(oldest - 1);
                request =
                    WatchHandoffsRequest { start_revision: oldest, log_id: log_id.clone(), ..first.clone() };
                streams.push(stream);
                continue;
            }
        };
        stream.end = loop {
            match in_time(incoming.message()).await {
                Ok(Some(message)) => {
                    // Whoever waits for this waits for the stream that is there to the end.
                    if until == u64::MAX {
                        told.send_replace(message.revision);
                    }
                    log_id.clone_from(&message.log_id);
                    stream.messages.push(Seen { message, durable: None, head_after: None });
                }
                Ok(None) => break End::Silent,
                Err(status) => break end(status),
            }
            if stream.told().is_some_and(|told| told >= until) {
                break End::Left;
            }
        };
        let acted = stream.told().expect("something was told");
        stream.acted = Some(acted);
        request = WatchHandoffsRequest { start_revision: acted + 1, snapshot: false, ..first.clone() };
        streams.push(stream);
        if std::mem::replace(&mut until, u64::MAX) == u64::MAX {
            break;
        }
    }
    Watch { name: name.to_owned(), streams }
}

/// What the validators say of a server with this fault.
async fn complaints(fault: Fault, asks: Asks) -> (BTreeSet<Promise>, String) {
    let disk = Disk::memory();
    let server = TestServer::start(&disk).await;
    let writer = Writer::new(NAMESPACE, 0, fastrand::Rng::with_seed(1));
    let writer = writer.work(server.clients().await, CALLS, watch::Sender::new(0)).await;
    let newest = server.clients().await.head(NAMESPACE).await;
    let broken = BrokenServer::start(server.clients().await, fault).await;
    let mut watching = Vec::new();
    let mut places = Vec::new();
    for (name, address) in [("beside", server.address), ("through", broken.address)] {
        let (told, place) = watch::channel(0);
        places.push(place);
        let (through, asking) = (Clients::connect(address).await, server.clients().await);
        let watch = watch(name, through, asking, request(asks), told);
        watching.push(tokio::spawn(watch));
    }
    for mut place in places {
        in_time(place.wait_for(|told| *told >= newest)).await.expect("the watcher is there");
    }
    server.stop().await;
    let mut watches = Vec::new();
    for watch in watching {
        watches.push(in_time(watch).await.expect("the watcher does not panic"));
    }
    broken.stop().await;
    let log = disk.dead_log();
    let truth = Truth::read(&*log, NAMESPACE, writer.answers);
    for stream in watches.iter_mut().flat_map(|watch| &mut watch.streams) {
        stream.durable = Some((1, newest));
    }
    let found = violations(&watches, &truth);
    let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
    (found.iter().map(|violation| violation.promise).collect(), texts.join("\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_broken_server_is_found_out_by_those_who_guard_what_it_breaks() {
    let rows = table();
    let judging: Vec<_> =
        rows.iter().map(|(fault, asks, _)| tokio::spawn(complaints(*fault, *asks))).collect();
    let mut complained = BTreeSet::new();
    for ((fault, asks, expected), judging) in rows.into_iter().zip(judging) {
        let (found, texts) = judging.await.unwrap_or_else(|panic| panic!("{fault:?}, {asks:?}: {panic}"));
        assert_eq!(found, expected.iter().copied().collect(), "{fault:?}, {asks:?}:\n{texts}");
        complained.extend(found);
    }
    let silent: Vec<_> = Promise::ALL.into_iter().filter(|promise| !complained.contains(promise)).collect();
    assert!(silent.is_empty(), "{silent:?} never complained of anything");
}
