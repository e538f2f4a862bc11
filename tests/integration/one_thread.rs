//! A server that has one thread: what takes long does not keep it from anyone.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use baton_log::Plan;
use baton_proto::v1;
use baton_server::clock::{Clock, SystemClock};

use crate::harness::{Disk, TestServer, config, create, in_time};

/// What takes so long to decide that the engine does it aside: many tasks, or few large ones, each with a description of so many bytes.
const LONG: [(usize, usize); 2] = [(200, 10), (20, 16_000)];

/// A batch of tasks is three looks at the clock: two while it is read, and one when the engine begins to decide it.
const LOOKS: usize = 3;

/// The look that is counted down to waits.
struct Waiting {
    looks_left: AtomicUsize,
    waits: AtomicBool,
    gave_up: AtomicBool,
    over: Mutex<Receiver<()>>,
}

impl Waiting {
    fn new() -> (Arc<Self>, Sender<()>) {
        let (end, over) = channel();
        let (looks_left, waits, gave_up) =
            (AtomicUsize::new(0), AtomicBool::new(false), AtomicBool::new(false));
        (Arc::new(Self { looks_left, waits, gave_up, over: Mutex::new(over) }), end)
    }
}

impl Clock for Waiting {
    fn now_us(&self) -> i64 {
        let left = self.looks_left.load(Ordering::SeqCst);
        self.looks_left.store(left.saturating_sub(1), Ordering::SeqCst);
        if left == 1 {
            self.waits.store(true, Ordering::SeqCst);
            // Not for ever: if nobody else had a thread, the test would not end.
            let over = self.over.lock().unwrap().recv_timeout(Duration::from_secs(10));
            self.gave_up.store(over.is_err(), Ordering::SeqCst);
        }
        SystemClock.now_us()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn reads_go_on_while_a_large_batch_is_decided() {
    for (tasks, description_bytes) in LONG {
        reads_go_on_while_these_are_created(tasks, description_bytes).await;
    }
}

async fn reads_go_on_while_these_are_created(tasks: usize, description_bytes: usize) {
    let disk = Disk::memory();
    let (clock, end) = Waiting::new();
    let plan = Plan::appends(|_| None);
    let server = TestServer::serve(disk.open_with(config(), plan, Arc::clone(&clock) as _).unwrap()).await;
    let mut clients = server.clients().await;
    clients.create(create("", "first", "a")).await.unwrap();
    clock.looks_left.store(LOOKS, Ordering::SeqCst);
    let description = "d".repeat(description_bytes);
    let item = |task| v1::CreateTaskRequest {
        description: description.clone(),
        ..create("", &format!("task-{task}"), "a")
    };
    let items = (0..tasks).map(item).collect();
    let batch = v1::BatchCreateTasksRequest { items, namespace: String::new() };
    let mut caller = clients.clone();
    let asked = tokio::spawn(async move { caller.tasks.batch_create_tasks(batch).await });
    in_time(async {
        while !clock.waits.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    assert_eq!(clients.task("", "first").await.unwrap().owner_epoch, 1);
    let gave_up = clock.gave_up.load(Ordering::SeqCst);
    assert!(!gave_up, "the read had to wait for {tasks} tasks of {description_bytes} bytes");
    end.send(()).unwrap();
    let answered = in_time(asked).await.unwrap().unwrap().into_inner();
    assert_eq!(answered.results.len(), tasks);
    server.stop().await;
}
