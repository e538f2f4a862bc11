//! Promises of several endpoints.
//!
//! Knows nothing of watches, which go over to the next endpoint by themselves.

use std::time::Duration;

use baton_client::{Client, Error, RetryPolicy, Status};
use baton_proto::v1;

use crate::scripted::{Nowhere, OnTcp, Script, Tasks};

fn updated() -> Result<v1::UpdateTaskResponse, Status> {
    Ok(v1::UpdateTaskResponse { task: Some(v1::Task::default()) })
}

fn updating(answers: impl IntoIterator<Item = Result<v1::UpdateTaskResponse, Status>>) -> Tasks {
    Tasks { update_task: Script::new(answers), ..Tasks::default() }
}

#[tokio::test]
async fn a_call_goes_on_to_the_next_endpoint() {
    let tasks = updating([updated()]);
    let (server, nowhere) = (OnTcp::serve(&tasks).await, Nowhere::take());
    let client = Client::builder().endpoint(&nowhere.address).endpoint(&server.address).build().unwrap();

    client.update_task("t-1").start().await.unwrap();

    assert_eq!(tasks.update_task.asked().len(), 1);
}

#[tokio::test]
async fn a_client_stays_with_the_endpoint_that_it_went_on_to() {
    let tasks = updating([updated(), updated()]);
    let (server, nowhere) = (OnTcp::serve(&tasks).await, Nowhere::take());
    let client = Client::builder().endpoint(&nowhere.address).endpoint(&server.address);
    let client = client.retry(RetryPolicy::none()).build().unwrap();

    let first = client.update_task("t-1").await.unwrap_err();
    assert!(matches!(first, Error::Unavailable { attempts: 1, .. }), "{first:?}");

    client.update_task("t-1").await.unwrap();
    client.update_task("t-1").await.unwrap();
}

#[tokio::test]
async fn a_server_that_stops_hands_its_callers_to_the_other_with_the_same_request_id() {
    let leaving = updating([updated(), Err(Status::unavailable("stopping"))]);
    let staying = updating([updated(), updated()]);
    let (first, second) = (OnTcp::serve(&leaving).await, OnTcp::serve(&staying).await);
    let client = Client::builder().endpoint(&first.address).endpoint(&second.address).build().unwrap();

    client.update_task("t-1").await.unwrap();
    client.update_task("t-1").await.unwrap();
    assert_eq!(
        leaving.update_task.asked()[1].message.request_id,
        staying.update_task.asked()[0].message.request_id
    );

    first.stop().await;
    client.update_task("t-1").await.unwrap();
    assert_eq!(staying.update_task.asked().len(), 2);
}

#[tokio::test]
async fn a_client_comes_back_to_a_server_that_was_restarted() {
    let tasks = updating([updated(), updated()]);
    let server = OnTcp::serve(&tasks).await;
    let client = Client::builder().endpoint(&server.address).build().unwrap();
    client.update_task("t-1").await.unwrap();

    let _server = server.restart(&tasks).await;
    client.update_task("t-1").await.unwrap();

    assert_eq!(tasks.update_task.asked().len(), 2);
}

#[tokio::test]
async fn nobody_anywhere_is_unavailable_and_names_the_endpoint() {
    let Nowhere { address, .. } = &Nowhere::take();
    let policy = RetryPolicy {
        attempts_max: 3,
        backoff_initial: Duration::from_millis(1),
        backoff_max: Duration::from_millis(1),
    };
    let error = Client::builder().endpoint(address).retry(policy).connect().await.unwrap_err();
    let is_expected = matches!(&error, Error::Unavailable { endpoint, attempts: 3, request_id: None, .. } if endpoint == address);
    assert!(is_expected, "{error:?}");
}

#[test]
fn everything_that_is_wrong_with_a_client_is_said_at_once() {
    let refused = Client::builder()
        .endpoint("not an address")
        .endpoint("https://baton.example:7420")
        .endpoints("127.0.0.1:7420, http://127.0.0.1:7421,, ftp://127.0.0.1")
        .deadline(Duration::ZERO)
        .retry(RetryPolicy { attempts_max: 0, ..RetryPolicy::default() })
        .build();
    let Err(Error::Invalid { violations, .. }) = refused else { panic!("{refused:?}") };
    let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["endpoint", "endpoint", "endpoint", "deadline", "retry.attempts_max"]);
}

#[test]
fn a_client_can_be_made_before_there_is_a_runtime_and_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    shared(&Client::builder().endpoint("127.0.0.1:7420").build().unwrap());
}
