//! Promises of how the contract's values look to a program: names, JSON, time.
//!
//! Knows nothing of calls beyond the one that brings the values.

use baton_client::{
    Client, ConflictPolicy, EventType, HandoffStatus, TaskHistoryType, TaskStatus, UnknownName,
};
use baton_proto::v1;
use serde_json::json;

use crate::scripted::{Script, Tasks, tasks_in_process};

#[test]
fn names_are_those_of_the_contract_in_lower_case_and_can_be_read_back() {
    for number in 1..64 {
        let Ok(wire) = v1::EventType::try_from(number) else { continue };
        let name = wire.as_str_name().trim_start_matches("EVENT_TYPE_").to_lowercase();
        assert_eq!(name.parse::<EventType>().unwrap().to_string(), name);
    }
    for number in 1..64 {
        let Ok(wire) = v1::TaskHistoryType::try_from(number) else { continue };
        let name = wire.as_str_name().trim_start_matches("TASK_HISTORY_TYPE_").to_lowercase();
        assert_eq!(name.parse::<TaskHistoryType>().unwrap().to_string(), name);
    }
    assert_eq!(TaskStatus::InProgress.to_string(), "in_progress");
    assert_eq!(format!("{:>12}|", HandoffStatus::Completed), "   completed|");
    assert_eq!(serde_json::to_value(ConflictPolicy::Keep).unwrap(), json!("keep"));
}

#[test]
fn a_name_that_does_not_exist_is_refused_with_those_that_do() {
    let refused: UnknownName = "doing".parse::<TaskStatus>().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`doing` is not a task status: use one of pending, in_progress, completed, failed, handed_off, cancelled"
    );
    assert!("unknown".parse::<TaskStatus>().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_task_prints_as_json_with_names_times_and_whole_numbers() {
    let number = |number| prost_types::Value { kind: Some(prost_types::value::Kind::NumberValue(number)) };
    let fields = [("order".to_owned(), number(1142.0)), ("share".to_owned(), number(0.5))];
    let task = v1::Task {
        namespace: "default".to_owned(),
        task_id: "t-1".to_owned(),
        status: v1::TaskStatus::HandedOff.into(),
        assigned_agent: "billing".to_owned(),
        created_at: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 250_000_000 }),
        updated_at: Some(prost_types::Timestamp { seconds: 1_700_000_060, nanos: 0 }),
        metadata: Some(prost_types::Struct { fields: fields.into() }),
        revision: 5,
        owner_epoch: 2,
        progress: Some(v1::TaskProgress { percent: 40, note: "half".to_owned() }),
        ..Default::default()
    };
    let create_task = Script::new([Ok(v1::CreateTaskResponse { task: Some(task) })]);
    let tasks = Tasks { create_task, ..Tasks::default() };
    let client = Client::builder().channel(tasks_in_process(&tasks)).build().unwrap();

    let task = client.create_task("t-1").agent("billing").await.unwrap();

    let expected = json!({
        "namespace": "default",
        "task_id": "t-1",
        "description": "",
        "status": "handed_off",
        "assigned_agent": "billing",
        "created_at": "2023-11-14T22:13:20.250Z",
        "updated_at": "2023-11-14T22:14:20Z",
        "metadata": {"order": 1142, "share": 0.5},
        "revision": 5,
        "owner_epoch": 2,
        "handoff_count": 0,
        "open_handoff_id": null,
        "progress": {"percent": 40, "note": "half"},
        "outcome": null,
    });
    assert_eq!(serde_json::to_value(&task).unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_status_of_a_newer_server_is_unknown_not_an_error() {
    let task = v1::Task { status: 99, ..Default::default() };
    let create_task = Script::new([Ok(v1::CreateTaskResponse { task: Some(task) })]);
    let tasks = Tasks { create_task, ..Tasks::default() };
    let client = Client::builder().channel(tasks_in_process(&tasks)).build().unwrap();

    let task = client.create_task("t-1").agent("billing").await.unwrap();

    assert_eq!(task.status, TaskStatus::Unknown);
    assert_eq!(task.status.to_string(), "unknown");
}
