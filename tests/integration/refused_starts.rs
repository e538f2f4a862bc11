//! What keeps a server from starting, and that it harms nothing.

use std::{fs, sync::Arc};

use baton_core::{
    Action, AgentId, BODY_FORMAT, Command, CreateTask, Draft, Object, Outcome, State, TaskId, Text,
    UpdateTask, encode_body, execute,
};
use baton_log::{Append, Log as _, LogReader as _, OpenError, Record};
use baton_server::{ServerError, config::Config, listener::BindError, metrics::Metrics, shutdown::Shutdown};
use bytes::Bytes;

use crate::harness::{Disk, ServerProcess, TestServer, config, create};

/// What `baton_server::serve` says, which must not serve.
async fn refused(config: Config) -> ServerError {
    let ready = |_: &baton_server::Ready<'_>| panic!("this must not be ready");
    let served = baton_server::serve(config, Arc::new(Metrics::new()), Shutdown::new(), ready).await;
    served.expect_err("this must not be served")
}

fn on(data: impl Into<std::path::PathBuf>) -> Config {
    Config { data: data.into(), listen: "127.0.0.1:0".into(), ..config() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_the_same_folder_is_refused_and_the_first_goes_on() {
    let disk = Disk::folder();
    let server = TestServer::start(&disk).await;
    let mut clients = server.clients().await;
    clients.create(create("", "task", "a")).await.unwrap();
    let error = refused(on(disk.path())).await;
    assert!(matches!(error, ServerError::Log(OpenError::InUse { .. })), "{error}");
    assert!(error.to_string().contains(disk.path().to_str().unwrap()), "{error}");
    clients.create(create("", "another", "a")).await.expect("the first server goes on");
    server.stop().await;

    let process = ServerProcess::start(disk.path());
    let error = refused(on(disk.path())).await;
    assert!(matches!(error, ServerError::Log(OpenError::InUse { .. })), "{error}");
    process.kill();
    let server = TestServer::start(&disk).await;
    assert_eq!(server.clients().await.head("").await, 2, "a dead server holds nothing");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_used_is_named() {
    let disk = Disk::folder();
    let file = disk.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let cases = [
        (file.clone(), "is not a folder"),
        (file.join("data"), "file"),
        (disk.path().join("no/such"), "parent folder does not exist"),
        // Nobody may write there, not even root.
        ("/proc/baton-data".into(), "/proc/baton-data"),
        ("/sys/kernel".into(), "/sys/kernel"),
    ];
    for (data, said) in cases {
        let error = refused(on(&data)).await;
        assert!(matches!(error, ServerError::Log(_)), "{error}");
        assert!(error.to_string().contains(said), "{}: {error}", data.display());
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "not a folder");

    let data = disk.path().join("data");
    fs::create_dir(&data).unwrap();
    let server =
        TestServer::serve(baton_server::Server::open(on(&data), Arc::new(Metrics::new())).unwrap()).await;
    server.stop().await;
    let database = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
    let database = database.filter(|path| path.extension().is_some_and(|extension| extension == "db"));
    for path in database {
        fs::write(path, "this is not a database, and far too short for one").unwrap();
    }
    let error = refused(on(&data)).await;
    assert!(matches!(error, ServerError::Log(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named_and_the_folder_is_not_touched() {
    let disk = Disk::folder();
    let server = TestServer::start(&Disk::memory()).await;
    let taken = server.address.to_string();
    let data = disk.path().join("data");
    let error = refused(Config { listen: taken.clone(), ..on(&data) }).await;
    assert!(matches!(error, ServerError::Bind(BindError::InUse { .. })), "{error}");
    assert!(error.to_string().contains(&taken), "{error}");
    let error = refused(Config { http: Some(taken.clone()), ..on(&data) }).await;
    assert!(matches!(error, ServerError::Bind(BindError::InUse { setting: "http", .. })), "{error}");
    let error = refused(Config { batch_commands_max: 0, ..on(&data) }).await;
    assert!(matches!(error, ServerError::Config(_)), "{error}");
    assert!(!data.exists(), "a server that cannot start leaves nothing behind");
    server.stop().await;
}

/// The body of a record with what the last `count` of these actions did, one after the other.
fn body(actions: Vec<Action>, count: usize) -> Bytes {
    let state = State::default();
    let mut draft = Draft::new(&state);
    let entry = |action| match execute(&mut draft, &Command::new("", 1, action), 1) {
        Ok(Outcome::Recorded(entry, _)) => entry,
        other => panic!("not recorded: {other:?}"),
    };
    let entries: Vec<_> = actions.into_iter().map(entry).collect();
    encode_body(&entries[entries.len() - count..])
}

fn create_task(index: usize) -> Action {
    let (task_id, owner) = (TaskId::from(format!("task-{index}")), AgentId::from("a"));
    Action::CreateTask(CreateTask {
        task_id,
        description: Text::from("d"),
        owner,
        metadata: Object::default(),
    })
}

fn start_task(index: usize) -> Action {
    let task_id = TaskId::from(format!("task-{index}"));
    Action::UpdateTask(UpdateTask {
        task_id,
        claim: Default::default(),
        expected_revision: None,
        description: None,
        metadata: None,
        progress: None,
        start: true,
    })
}

#[test]
fn a_record_that_cannot_be_replayed_is_named_however_many_follow() {
    const TASKS: usize = 100;
    let good = |record: usize| {
        let tasks = (record * TASKS..(record + 1) * TASKS).map(create_task).collect();
        (BODY_FORMAT, TASKS, body(tasks, TASKS))
    };
    let without_task = body(vec![create_task(9_999), start_task(9_999)], 1);
    let cases = [
        (
            (BODY_FORMAT, 1, without_task),
            "revision 101 does not fit what is before it: task task-9999 does not exist",
        ),
        ((BODY_FORMAT, 1, Bytes::from_static(b"nonsense")), "revision 101: the record's body cannot be read"),
        ((BODY_FORMAT + 1, 1, good(1).2), "revision 101: the record has format 2"),
    ];
    for (bad, said) in cases {
        for following in [0, 1, 60] {
            let disk = Disk::folder();
            let mut log = disk.log();
            let records = [good(0), bad.clone()].into_iter().chain((1..=following).map(good));
            for (format, count, bytes) in records {
                let (head, namespace) = (log.head("default").unwrap(), "default".into());
                let (first, previous) = (head.revision + 1, head.hash);
                let record = Record::seal(namespace, first, count as u32, 1, format, previous, bytes);
                log.append(&[Append { expected_revision: head.revision, record }]).unwrap();
            }
            drop(log);
            let error = disk.open(config()).map(drop).expect_err("it must not be served").to_string();
            assert!(
                error.contains(said) && error.contains("namespace default"),
                "{following} follow: {error}"
            );
        }
    }
}
