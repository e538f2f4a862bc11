//! Whatever is packed comes back as it was; and what is equal gives equal bytes, wherever it came from.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::*;
use crate::{
    AgentId, ConflictPolicy, Context, ContextParts, HandoffStatus, Object, Progress, RecentPairs, Revision,
    RuleName, StepName, Text, Transfer, TransferSpec, Value, Verdict, Violation,
    store::record::{StoredChange, StoredEntry},
};

const STATUSES: [TaskStatus; 6] = [
    TaskStatus::Pending,
    TaskStatus::InProgress,
    TaskStatus::Completed,
    TaskStatus::Failed,
    TaskStatus::HandedOff,
    TaskStatus::Cancelled,
];

/// A small number mostly, and any number now and then.
fn number(rng: &mut Rng) -> u64 {
    if rng.u8(..4) > 0 { rng.u64(..30) } else { rng.u64(..) >> rng.u8(..64) }
}

fn time(rng: &mut Rng) -> i64 {
    if rng.u8(..4) > 0 { 1_790_000_000_000_000 + rng.i64(..1_000_000) } else { rng.i64(..) }
}

fn text(rng: &mut Rng) -> Text {
    let length = if rng.bool() { 0 } else { rng.usize(..300) };
    Text::from("é".repeat(length))
}

/// One of more agents than have numbers.
fn agent(rng: &mut Rng) -> AgentId {
    let agents = if rng.bool() { 3 } else { 60 };
    AgentId::from(format!("agent-{}", rng.u8(..agents)))
}

fn some<T>(rng: &mut Rng, value: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    rng.bool().then(|| value(rng))
}

fn object(rng: &mut Rng) -> Object {
    let entries = (0..rng.usize(..3)).map(|key| (Text::from(key.to_string()), Value::String(text(rng))));
    Object::new(entries.collect::<BTreeMap<_, _>>())
}

fn pairs(rng: &mut Rng) -> RecentPairs {
    (0..rng.usize(..10)).fold(RecentPairs::default(), |pairs, _| pairs.with(&agent(rng), &agent(rng)))
}

fn task(rng: &mut Rng) -> Task {
    let metadata = object(rng);
    Task {
        id: TaskId::from("t"),
        description: text(rng),
        status: STATUSES[rng.usize(..STATUSES.len())],
        owner: agent(rng),
        owner_epoch: number(rng),
        created_us: time(rng),
        updated_us: time(rng),
        metadata_bytes: metadata.size() as u64,
        metadata,
        revision: Revision(number(rng)),
        handoff_count: number(rng) as u32,
        open_handoff: some(rng, |rng| HandoffId(Revision(number(rng)))),
        progress: some(rng, |rng| Progress { percent: rng.u32(..=100), note: text(rng) }),
        outcome: text(rng),
        recent_pairs: pairs(rng),
    }
}

fn violations(rng: &mut Rng) -> Vec<Violation> {
    let violation = |message| Violation { rule: RuleName::from("rule"), message };
    (0..rng.usize(..2)).map(|_| violation(text(rng))).collect()
}

fn handoff(rng: &mut Rng, id: u64) -> Handoff {
    let texts = |rng: &mut Rng| -> Vec<Text> { (0..rng.usize(..3)).map(|_| text(rng)).collect() };
    let context = some(rng, |rng| {
        let (summary, completed, pitfalls) = (text(rng), texts(rng), texts(rng));
        Context::from(&ContextParts {
            summary: &summary,
            completed: completed.iter().map(Text::as_str).collect(),
            pitfalls: pitfalls.iter().map(Text::as_str).collect(),
            ..ContextParts::default()
        })
    });
    let spec = TransferSpec {
        enabled: rng.bool(),
        keys: some(rng, |rng| vec![text(rng)]),
        on_conflict: if rng.bool() { ConflictPolicy::Overwrite } else { ConflictPolicy::Fail },
    };
    Handoff {
        id: HandoffId(Revision(id)),
        task_id: TaskId::from("t"),
        from: agent(rng),
        to: agent(rng),
        reason: text(rng),
        status: HandoffStatus::ALL[rng.usize(..HandoffStatus::ALL.len())],
        verdict: Verdict { errors: violations(rng), warnings: violations(rng) },
        transfer: Transfer {
            spec: if rng.bool() { TransferSpec::default() } else { spec },
            from_revision: Revision(if rng.bool() { 0 } else { number(rng) }),
        },
        context,
        created_us: time(rng),
        judged_us: time(rng),
        completed_us: some(rng, time),
        failed_step: some(rng, |_| StepName::StateTransfer),
        owner_epoch: number(rng),
        revision: Revision(id.saturating_add(number(rng))),
        error: text(rng),
        given_epoch: some(rng, number),
    }
}

fn entry(rng: &mut Rng) -> StoredEntry {
    let id = number(rng);
    let what = match rng.u8(..6) {
        0 => StoredChange::Created,
        1 => StoredChange::Started,
        2 => StoredChange::Updated,
        3 => StoredChange::Ended(text(rng)),
        4 => StoredChange::Kept(HandoffId(Revision(id))),
        _ => StoredChange::Past(Arc::new(handoff(rng, id))),
    };
    StoredEntry {
        revision: Revision(id.saturating_add(number(rng)).max(1)),
        time_us: time(rng),
        what,
        status: STATUSES[rng.usize(..STATUSES.len())],
        owner: agent(rng),
        owner_epoch: number(rng),
    }
}

#[test]
fn a_record_comes_back_as_it_was_and_its_bytes_as_they_were() {
    for seed in 0..3_000 {
        let mut rng = Rng::with_seed(seed);
        let mut record = StoredRecord::new(Arc::new(task(&mut rng)));
        let entries: Vec<_> = (0..rng.usize(..30)).map(|_| entry(&mut rng)).collect();
        for entry in &entries {
            record.push(entry.clone());
        }
        let (id, bytes) = (&record.task.id, pack_record(&record));
        let unpacked = unpack_record(id, &bytes);
        assert_eq!(unpacked, record, "seed {seed}");
        assert!(unpacked.history.lines(id).eq(entries), "seed {seed}");
        assert_eq!(pack_record(&unpacked), bytes, "seed {seed}");
        assert_eq!(unpack_task(id, &bytes), *record.task, "seed {seed}");
        assert_eq!(unpack_history(id, &bytes), record.history, "seed {seed}");
        assert_eq!(is_finished(&bytes), record.task.status.is_finished(), "seed {seed}");
    }
}

#[test]
fn a_hand_off_comes_back_as_it_was_and_its_bytes_as_they_were() {
    for seed in 0..3_000 {
        let mut rng = Rng::with_seed(seed);
        let id = number(&mut rng);
        let handoff = handoff(&mut rng, id);
        let bytes = pack_handoff(&handoff);
        let unpacked = unpack_handoff(handoff.id, &bytes);
        assert_eq!(unpacked, handoff, "seed {seed}");
        assert_eq!(pack_handoff(&unpacked), bytes, "seed {seed}");
    }
}

#[test]
fn a_name_that_comes_again_takes_one_byte() {
    let named = |owner: &str| {
        let mut task = task(&mut Rng::with_seed(0));
        let owner = AgentId::from(owner);
        task.recent_pairs = RecentPairs::default().with(&owner, &AgentId::from("b")).with(&owner, &owner);
        task.owner = owner;
        pack_record(&StoredRecord::new(Arc::new(task))).len()
    };
    assert_eq!(named("a name of ten and ten"), named("a") + 20);
}
