//! Writes the answers that are given most often, each as the frame that is sent.
//!
//! Says the same as the types of the contract would, byte for byte, but copies every text once only.

use baton_core::{Context, Handoff, Object, Progress, Step, Task, Transfer, Value, Verdict, Violation};
use baton_proto::v1;

use super::{
    handoff::{status, step_status},
    state::{policy, scope},
    task::task_status,
    timestamp,
    writer::Writer,
};
use crate::own_body::{Frame, new_frame};

/// About what a hand-off or a task takes, so that there is room from the beginning.
const ITEM_BYTES: usize = 768;

/// The answer that is one task, as in `GetTaskResponse`.
pub(in crate::service) fn task_answer(namespace: &str, task: &Task) -> Frame {
    let mut frame = new_frame(ITEM_BYTES);
    Writer::new(&mut frame).long_message(1, |writer| write_task(writer, namespace, task));
    frame
}

/// The answer that is a hand-off and its task, as in `HandOffResponse`.
pub(in crate::service) fn handoff_answer(namespace: &str, handoff: &Handoff, task: &Task) -> Frame {
    let mut frame = new_frame(2 * ITEM_BYTES);
    let mut writer = Writer::new(&mut frame);
    writer.long_message(1, |writer| write_handoff(writer, handoff));
    writer.long_message(2, |writer| write_task(writer, namespace, task));
    frame
}

/// The answer to a batch: for each item what `write` says of it, or why there is nothing.
fn batch_answer<T>(
    results: impl ExactSizeIterator<Item = Result<T, v1::ItemError>>,
    write: impl Fn(&mut Writer<'_>, &T),
) -> Frame {
    let mut frame = new_frame(results.len() * ITEM_BYTES);
    let mut writer = Writer::new(&mut frame);
    for result in results {
        writer.long_message(1, |writer| match result {
            Ok(item) => writer.long_message(1, |writer| write(writer, &item)),
            Err(error) => writer.made(2, &error),
        });
    }
    frame
}

/// The answer that is a task for each item, as in `BatchCreateTasksResponse`.
pub(in crate::service) fn tasks_answer<T: AsRef<Task>>(
    namespace: &str,
    results: impl ExactSizeIterator<Item = Result<T, v1::ItemError>>,
) -> Frame {
    batch_answer(results, |writer, task| write_task(writer, namespace, task.as_ref()))
}

/// The answer that is a hand-off for each item, as in `BatchHandOffResponse`.
pub(in crate::service) fn handoffs_answer<T: AsRef<Handoff>>(
    results: impl ExactSizeIterator<Item = Result<T, v1::ItemError>>,
) -> Frame {
    batch_answer(results, |writer, handoff| write_handoff(writer, handoff.as_ref()))
}

fn write_task(writer: &mut Writer<'_>, namespace: &str, task: &Task) {
    writer.text(1, namespace);
    writer.text(2, &task.id);
    writer.text(3, &task.description);
    writer.value(4, task_status(task.status));
    writer.text(5, &task.owner);
    write_time(writer, 6, task.created_us);
    write_time(writer, 7, task.updated_us);
    writer.message(8, |writer| write_object(writer, &task.metadata));
    writer.number(9, task.revision.0);
    writer.number(10, task.owner_epoch);
    writer.number(11, task.handoff_count);
    if let Some(id) = task.open_handoff {
        writer.shown(12, id);
    }
    if let Some(progress) = &task.progress {
        writer.message(13, |writer| write_progress(writer, progress));
    }
    writer.text(14, &task.outcome);
}

fn write_progress(writer: &mut Writer<'_>, progress: &Progress) {
    writer.number(1, progress.percent);
    writer.text(2, &progress.note);
}

fn write_handoff(writer: &mut Writer<'_>, handoff: &Handoff) {
    writer.shown(1, handoff.id);
    writer.text(2, &handoff.task_id);
    writer.text(3, &handoff.from);
    writer.text(4, &handoff.to);
    writer.text(5, &handoff.reason);
    writer.value(6, status(handoff.status));
    for step in &handoff.steps() {
        writer.message(7, |writer| write_step(writer, step));
    }
    writer.message(8, |writer| write_verdict(writer, &handoff.verdict));
    writer.message(9, |writer| write_transfer(writer, &handoff.from, &handoff.transfer));
    if let Some(context) = &handoff.context {
        writer.message(10, |writer| write_context(writer, context));
    }
    write_time(writer, 11, handoff.created_us);
    if let Some(completed_us) = handoff.completed_us {
        write_time(writer, 13, completed_us);
    }
    writer.text(14, &handoff.error);
    writer.number(15, handoff.owner_epoch);
    writer.number(16, handoff.revision.0);
}

fn write_step(writer: &mut Writer<'_>, step: &Step) {
    writer.text(1, step.name.as_str());
    writer.value(2, step_status(step.status));
    write_time(writer, 3, step.time_us);
    writer.text(4, &step.error);
}

fn write_verdict(writer: &mut Writer<'_>, verdict: &Verdict) {
    writer.number(1, verdict.is_valid());
    for error in &verdict.errors {
        writer.message(2, |writer| write_violation(writer, error));
    }
    for warning in &verdict.warnings {
        writer.message(3, |writer| write_violation(writer, warning));
    }
}

fn write_violation(writer: &mut Writer<'_>, violation: &Violation) {
    writer.text(1, &violation.rule);
    writer.text(2, &violation.message);
}

fn write_transfer(writer: &mut Writer<'_>, from: &str, transfer: &Transfer) {
    writer.message(1, |writer| {
        writer.value(1, scope(&transfer.spec));
        write_texts(writer, 2, transfer.spec.keys.as_deref().unwrap_or_default());
        writer.value(3, policy(transfer.spec.on_conflict));
    });
    writer.text(2, from);
    writer.number(3, transfer.from_revision.0);
}

fn write_context(writer: &mut Writer<'_>, context: &Context) {
    context.each(|part, text| match part {
        0 => writer.text(1, text),
        _ => writer.item(part as u32 + 1, text),
    });
}

fn write_texts(writer: &mut Writer<'_>, field: u32, texts: &[impl AsRef<str>]) {
    for text in texts {
        writer.item(field, text.as_ref());
    }
}

/// A `google.protobuf.Timestamp`.
fn write_time(writer: &mut Writer<'_>, field: u32, us: i64) {
    let time = timestamp(us);
    writer.message(field, |writer| {
        writer.number(1, time.seconds.cast_unsigned());
        writer.number(2, i64::from(time.nanos).cast_unsigned());
    });
}

/// A `google.protobuf.Struct`.
fn write_object(writer: &mut Writer<'_>, object: &Object) {
    for (key, value) in object.entries() {
        writer.message(1, |writer| {
            writer.text(1, key);
            writer.message(2, |writer| write_value(writer, value));
        });
    }
}

/// A `google.protobuf.Value`.
fn write_value(writer: &mut Writer<'_>, value: &Value) {
    match value {
        Value::Null => writer.chosen(1, 0_u64),
        Value::Number(number) => writer.double(2, *number),
        Value::String(text) => writer.item(3, text),
        Value::Bool(value) => writer.chosen(4, *value),
        Value::Object(object) => writer.message(5, |writer| write_object(writer, object)),
        Value::List(items) => writer.message(6, |writer| {
            for item in items.iter() {
                writer.message(1, |writer| write_value(writer, item));
            }
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use baton_core::{
        AgentId, ConflictPolicy, ContextParts, HandoffId, HandoffStatus, Revision, RuleName, StepName,
        TaskId, TaskStatus, Text, TransferSpec,
    };
    use prost::Message as _;

    use super::*;
    use crate::{own_body::PREFIX_BYTES, service::to_wire};

    fn violation(rule: &str, message: &str) -> Violation {
        Violation { rule: RuleName::from(rule), message: Text::from(message) }
    }

    /// A hand-off with nothing that can be left out.
    fn full_handoff(status: HandoffStatus) -> Handoff {
        Handoff {
            id: HandoffId(Revision(u64::MAX)),
            task_id: TaskId::from("t-é"),
            from: AgentId::from("triage"),
            to: AgentId::from("billing"),
            reason: Text::new("r".repeat(20_000)),
            status,
            verdict: Verdict {
                errors: vec![violation("ping_pong", "back and forth"), violation("", "")],
                warnings: vec![violation("no_context", "say more")],
            },
            transfer: Transfer {
                spec: TransferSpec {
                    enabled: true,
                    keys: Some(vec![Text::from("a"), Text::from("")]),
                    on_conflict: ConflictPolicy::Keep,
                },
                from_revision: Revision(300),
            },
            context: Some(Context::from(&ContextParts {
                summary: "the situation",
                completed: vec!["one", ""],
                remaining: vec![&"x".repeat(127)],
                decisions: vec![&"y".repeat(128)],
                pitfalls: vec!["p"],
                references: vec!["q"],
            })),
            created_us: -1,
            judged_us: 1_700_000_000_123_456,
            completed_us: Some(1_700_000_000_000_000),
            failed_step: Some(StepName::StateTransfer),
            owner_epoch: 7,
            revision: Revision(1 << 40),
            error: Text::from("a conflict"),
            given_epoch: None,
        }
    }

    /// A hand-off that says as little as it can.
    fn bare_handoff(status: HandoffStatus) -> Handoff {
        Handoff {
            id: HandoffId(Revision(1)),
            reason: Text::default(),
            verdict: Verdict::default(),
            transfer: Transfer {
                spec: TransferSpec { enabled: false, ..TransferSpec::default() },
                from_revision: Revision(0),
            },
            context: None,
            created_us: 0,
            judged_us: 0,
            completed_us: None,
            failed_step: None,
            owner_epoch: 0,
            revision: Revision(1),
            error: Text::default(),
            ..full_handoff(status)
        }
    }

    fn full_task(status: TaskStatus) -> Task {
        let inner = Object::new(BTreeMap::from([(Text::from(""), Value::String(Text::from("")))]));
        let metadata = BTreeMap::from([
            (Text::from("bool"), Value::Bool(false)),
            (Text::from("empty"), Value::Object(Object::default())),
            (Text::from("list"), Value::List(vec![Value::Null, Value::Bool(true)].into())),
            (Text::from("none"), Value::List(Vec::new().into())),
            (Text::from("number"), Value::Number(0.0)),
            (Text::from("object"), Value::Object(inner)),
            (Text::from("text"), Value::String(Text::new("z".repeat(300)))),
        ]);
        Task {
            id: TaskId::from("t-1"),
            description: Text::from("do it"),
            status,
            owner: AgentId::from("triage"),
            owner_epoch: 3,
            created_us: 1,
            updated_us: i64::MAX,
            metadata: Object::new(metadata),
            revision: Revision(9),
            handoff_count: u32::MAX,
            open_handoff: Some(HandoffId(Revision(12))),
            progress: Some(Progress { percent: 0, note: Text::default() }),
            outcome: Text::from("done"),
            recent_pairs: Default::default(),
            metadata_bytes: 0,
        }
    }

    fn bare_task(status: TaskStatus) -> Task {
        Task {
            description: Text::default(),
            owner_epoch: 0,
            metadata: Object::default(),
            handoff_count: 0,
            open_handoff: None,
            progress: None,
            outcome: Text::default(),
            ..full_task(status)
        }
    }

    fn tasks() -> Vec<Task> {
        use TaskStatus::{Cancelled, Completed, Failed, HandedOff, InProgress, Pending};
        [Pending, InProgress, Completed, Failed, HandedOff, Cancelled]
            .into_iter()
            .flat_map(|status| [full_task(status), bare_task(status)])
            .collect()
    }

    fn handoffs() -> Vec<Handoff> {
        HandoffStatus::ALL
            .into_iter()
            .flat_map(|status| [full_handoff(status), bare_handoff(status)])
            .collect()
    }

    #[test]
    fn answers_are_the_bytes_that_their_types_give() {
        for (handoff, task) in handoffs().iter().zip(tasks().iter().cycle()) {
            let typed = v1::HandOffResponse {
                handoff: Some(to_wire::handoff(handoff)),
                task: Some(to_wire::task("ns", task)),
            };
            assert_eq!(handoff_answer("ns", handoff, task)[PREFIX_BYTES..], typed.encode_to_vec());
        }
        for task in tasks() {
            let typed = v1::GetTaskResponse { task: Some(to_wire::task("ns", &task)) };
            assert_eq!(task_answer("ns", &task)[PREFIX_BYTES..], typed.encode_to_vec());
        }
    }

    #[test]
    fn batches_are_the_bytes_that_their_types_give() {
        let error = v1::ItemError { message: "no".into(), ..Default::default() };
        let handoffs: Vec<_> = handoffs().into_iter().map(Arc::new).collect();
        let typed = handoffs
            .iter()
            .map(|handoff| v1::HandOffResult { handoff: Some(to_wire::handoff(handoff)), error: None })
            .chain([v1::HandOffResult { handoff: None, error: Some(error.clone()) }]);
        let typed = v1::BatchHandOffResponse { results: typed.collect() };
        let results: Vec<_> = handoffs.into_iter().map(Ok).chain([Err(error.clone())]).collect();
        assert_eq!(handoffs_answer(results.into_iter())[PREFIX_BYTES..], typed.encode_to_vec());

        let tasks: Vec<_> = tasks().into_iter().map(Arc::new).collect();
        let typed = tasks
            .iter()
            .map(|task| v1::CreateTaskResult { task: Some(to_wire::task("ns", task)), error: None })
            .chain([v1::CreateTaskResult { task: None, error: Some(error.clone()) }]);
        let typed = v1::BatchCreateTasksResponse { results: typed.collect() };
        let results: Vec<_> = tasks.into_iter().map(Ok).chain([Err(error)]).collect();
        assert_eq!(tasks_answer("ns", results.into_iter())[PREFIX_BYTES..], typed.encode_to_vec());
    }
}
