//! Promises of one call: its attempts, its request id, its deadline.
//!
//! Knows nothing of several endpoints.

use std::time::Duration;

use baton_client::{Client, ClientBuilder, Code, Error, RetryPolicy, Status};
use baton_proto::v1;
use serde_json::json;
use tokio::time::Instant;
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::scripted::{Script, Tasks, tasks_in_process};

fn created() -> Result<v1::CreateTaskResponse, Status> {
    let task = v1::Task { task_id: "t-1".to_owned(), owner_epoch: 1, ..Default::default() };
    Ok(v1::CreateTaskResponse { task: Some(task) })
}

fn away() -> Result<v1::CreateTaskResponse, Status> {
    Err(Status::unavailable("the log cannot be written"))
}

fn creating(answers: impl IntoIterator<Item = Result<v1::CreateTaskResponse, Status>>) -> Tasks {
    Tasks { create_task: Script::new(answers), ..Tasks::default() }
}

fn client_of(tasks: &Tasks) -> ClientBuilder {
    Client::builder().channel(tasks_in_process(tasks))
}

#[tokio::test(start_paused = true)]
async fn a_mutation_carries_one_request_id_through_all_of_its_attempts() {
    let tasks = creating([away(), away(), created()]);
    let client = client_of(&tasks).build().unwrap();

    let task = client.create_task("t-1").agent("triage").await.unwrap();

    let ids: Vec<String> =
        tasks.create_task.asked().into_iter().map(|asked| asked.message.request_id).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.len() == 32 && *id == ids[0]), "{ids:?}");
    assert_eq!(task.task_id, "t-1");
}

#[tokio::test(start_paused = true)]
async fn two_calls_never_share_a_request_id_unless_the_caller_says_so() {
    let tasks = creating([created(), created(), created(), created()]);
    let client = client_of(&tasks).build().unwrap();
    let call = client.create_task("t-1").agent("triage");

    call.clone().await.unwrap();
    call.clone().await.unwrap();
    call.clone().request_id("mine").await.unwrap();
    call.request_id("mine").await.unwrap();

    let asked = tasks.create_task.asked();
    let ids: Vec<&str> = asked.iter().map(|asked| asked.message.request_id.as_str()).collect();
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[2..], ["mine", "mine"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_gives_up_after_its_attempts_and_says_with_which_request_id_to_go_on() {
    let tasks = creating([away(), away(), away(), created()]);
    let policy = RetryPolicy { attempts_max: 3, ..RetryPolicy::default() };
    let client = client_of(&tasks).retry(policy).build().unwrap();

    let error = client.create_task("t-1").agent("triage").await.unwrap_err();

    let asked = tasks.create_task.asked();
    assert_eq!(asked.len(), 3);
    assert!(matches!(error, Error::Unavailable { attempts: 3, .. }), "{error:?}");
    assert_eq!(error.request_id(), Some(asked[0].message.request_id.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_repeated() {
    let tasks = creating([Err(Status::failed_precondition("no")), created()]);
    let client = client_of(&tasks).build().unwrap();

    let error = client.create_task("t-1").agent("triage").await.unwrap_err();

    assert_eq!(error.code(), Code::FailedPrecondition);
    assert_eq!(tasks.create_task.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_is_left_alone_for_as_long_as_it_asks() {
    let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(4)));
    let full = Status::with_error_details(Code::ResourceExhausted, "full", details);
    let tasks = creating([Err(full), created()]);
    let client = client_of(&tasks).build().unwrap();

    let begun = Instant::now();
    client.create_task("t-1").agent("triage").await.unwrap();

    assert!(begun.elapsed() >= Duration::from_secs(4), "{:?}", begun.elapsed());
    assert_eq!(tasks.create_task.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_answered_ends_at_its_deadline() {
    let tasks = creating([]);
    let client = client_of(&tasks).deadline(Duration::from_secs(60)).build().unwrap();

    let begun = Instant::now();
    let call = client.create_task("t-1").agent("triage").request_id("r-1").deadline(Duration::from_secs(2));
    let error = call.await.unwrap_err();

    assert!(matches!(error, Error::DeadlineExceeded { .. }), "{error:?}");
    assert_eq!(error.request_id(), Some("r-1"));
    let elapsed = begun.elapsed();
    assert!(elapsed >= Duration::from_millis(1_900) && elapsed <= Duration::from_secs(3), "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_is_that_of_the_whole_call_and_each_attempt_is_told_what_is_left() {
    let tasks = creating(std::iter::repeat_with(away).take(1_000));
    let policy = RetryPolicy {
        attempts_max: 1_000,
        backoff_initial: Duration::from_millis(400),
        backoff_max: Duration::from_millis(400),
    };
    let client = client_of(&tasks).retry(policy).deadline(Duration::from_secs(3)).build().unwrap();

    let begun = Instant::now();
    let error = client.create_task("t-1").agent("triage").await.unwrap_err();

    assert!(begun.elapsed() <= Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    let told: Vec<u128> =
        tasks.create_task.asked().iter().map(|asked| nanos(asked.timeout.as_deref().unwrap())).collect();
    assert!(told.len() > 2 && told.len() < 1_000, "{told:?}");
    assert!(told[0] <= 3_000_000_000, "{told:?}");
    assert!(
        told.is_sorted_by(|earlier, later| earlier >= later) && told[0] > told[told.len() - 1],
        "{told:?}"
    );
}

/// Reads a `grpc-timeout` such as `2999999u`.
fn nanos(timeout: &str) -> u128 {
    let (number, unit) = timeout.split_at(timeout.len() - 1);
    let unit = match unit {
        "n" => 1,
        "u" => 1_000,
        "m" => 1_000_000,
        "S" => 1_000_000_000,
        other => panic!("unexpected unit {other} in {timeout}"),
    };
    number.parse::<u128>().unwrap() * unit
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_request_is_said_before_anything_is_sent() {
    let tasks = creating([created()]);
    let client = client_of(&tasks).build().unwrap();

    let call = client.create_task("t-1").agent("triage").metadata(json!({"id": u64::MAX}));
    let error = call.await.unwrap_err();

    assert!(
        matches!(&error, Error::Invalid { violations, .. } if violations[0].field == "metadata.id"),
        "{error:?}"
    );
    assert!(tasks.create_task.asked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_what_the_contract_promises_is_an_error() {
    let tasks = creating([Ok(v1::CreateTaskResponse { task: None })]);
    let client = client_of(&tasks).build().unwrap();

    let error = client.create_task("t-1").agent("triage").await.unwrap_err();

    assert_eq!(error.to_string(), "the server's answer lacks `task` (INTERNAL)");
}

#[tokio::test(start_paused = true)]
async fn a_listing_streams_all_pages_even_empty_ones() {
    let page = |ids: &[&str], next: &str| {
        let tasks = ids.iter().map(|&id| v1::Task { task_id: id.to_owned(), ..Default::default() }).collect();
        Ok(v1::ListTasksResponse { tasks, next_page_token: next.to_owned() })
    };
    let list_tasks = Script::new([page(&["a", "b"], "p2"), page(&[], "p3"), page(&["c"], "")]);
    let tasks = Tasks { list_tasks, ..Tasks::default() };
    let client = client_of(&tasks).namespace("shop").build().unwrap();

    let listed = client.list_tasks().agent("triage").page_size(2).stream().into_vec().await.unwrap();

    let ids: Vec<&str> = listed.iter().map(|task| task.task_id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let asked = tasks.list_tasks.asked();
    let tokens: Vec<&str> = asked.iter().map(|asked| asked.message.page_token.as_str()).collect();
    assert_eq!(tokens, ["", "p2", "p3"]);
    assert!(asked.iter().all(|asked| {
        let message = &asked.message;
        message.assigned_agent == "triage" && message.page_size == 2 && message.namespace == "shop"
    }));
}
