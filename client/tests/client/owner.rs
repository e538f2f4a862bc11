//! Promises of an owner's handle: agent and epoch go with every write, and a refusal gives the task back.
//!
//! Knows nothing of who decides about ownership.

use baton_client::{Client, Error, HandoffStatus, Status};
use baton_proto::v1;

use crate::scripted::{Handoffs, Script, Tasks, handoffs_in_process, tasks_in_process};

fn task() -> v1::Task {
    v1::Task {
        task_id: "t-1".to_owned(),
        assigned_agent: "triage".to_owned(),
        owner_epoch: 7,
        ..Default::default()
    }
}

#[tokio::test(start_paused = true)]
async fn every_write_of_an_owner_names_agent_and_epoch() {
    let tasks = Tasks {
        create_task: Script::new([Ok(v1::CreateTaskResponse { task: Some(task()) })]),
        update_task: Script::new(
            std::iter::repeat_with(|| Ok(v1::UpdateTaskResponse { task: Some(task()) })).take(3),
        ),
        complete_task: Script::new([Ok(v1::CompleteTaskResponse { task: Some(task()) })]),
        ..Tasks::default()
    };
    let client = Client::builder().channel(tasks_in_process(&tasks)).build().unwrap();

    let owned = client.create_task("t-1").agent("triage").owned().await.unwrap();
    owned.start().await.unwrap();
    owned.progress(40, "half").await.unwrap();
    owned.update().description("anew").await.unwrap();
    owned.complete("done").await.unwrap();

    let updates = tasks.update_task.asked();
    assert_eq!(updates.len(), 3);
    for update in updates {
        assert_eq!((update.message.agent_id.as_str(), update.message.owner_epoch), ("triage", Some(7)));
    }
    let complete = &tasks.complete_task.asked()[0].message;
    assert_eq!((complete.agent_id.as_str(), complete.owner_epoch), ("triage", Some(7)));
    assert_eq!(complete.outcome, "done");
}

#[tokio::test(start_paused = true)]
async fn a_refused_hand_off_gives_the_task_back_and_an_accepted_one_gives_it_on() {
    let handed = v1::Handoff {
        handoff_id: "h-1".to_owned(),
        task_id: "t-1".to_owned(),
        to_agent: "billing".to_owned(),
        status: v1::HandoffStatus::Completed.into(),
        owner_epoch: 8,
        ..Default::default()
    };
    let handoffs = Handoffs {
        hand_off: Script::new([
            Err(Status::failed_precondition("not yet")),
            Ok(v1::HandOffResponse { handoff: Some(handed), task: None }),
        ]),
        ..Handoffs::default()
    };
    let client = Client::builder().channel(handoffs_in_process(&handoffs)).build().unwrap();
    let given = Client::builder().channel(tasks_in_process(&Tasks {
        create_task: Script::new([Ok(v1::CreateTaskResponse { task: Some(task()) })]),
        ..Tasks::default()
    }));
    let created = given.build().unwrap().create_task("t-1").await.unwrap();

    let refused = client.own(&created).hand_off("billing").await.unwrap_err();
    assert_eq!(refused.to_string(), "not yet (FAILED_PRECONDITION)");
    let handoff = refused.into_task().hand_off("billing").reason("refund").await.unwrap();

    for asked in handoffs.hand_off.asked() {
        assert_eq!((asked.message.from_agent.as_str(), asked.message.owner_epoch), ("triage", Some(7)));
    }
    let received = client.receive(&handoff).unwrap();
    assert_eq!((received.task_id(), received.agent(), received.epoch()), ("t-1", "billing", 8));
    let open = baton_client::Handoff { status: HandoffStatus::Initiated, ..handoff };
    let error = client.receive(&open).unwrap_err();
    assert!(matches!(error, Error::WrongHandoffStatus { .. }), "{error:?}");
}
