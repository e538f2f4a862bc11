//! A repeated request gives the first answer again, within the bounds of the memory.

use baton_core::{
    Action, Answer, BuiltInRule, CHECKPOINT_FORMAT, Command, ConflictPolicy, Draft, HandoffId, Object,
    Outcome, Proposal, Rejection, RequestMemory, Revision, State, UpdateTask, execute, limits,
};

use crate::{
    namespace::{Namespace, SECOND_US, shown},
    words::{
        big, create, create_with, end, execute as execute_handoff, hand_off, initiate, keys, know, object,
        proposal, start, switch, touch, touched, transfer, withdraw,
    },
};

fn recorded(outcome: Result<Outcome, Rejection>) -> Answer {
    match outcome.unwrap() {
        Outcome::Recorded(_, answer) => answer,
        other => panic!("done before: {other:?}"),
    }
}

fn is_repeated(outcome: Result<Outcome, Rejection>) -> bool {
    matches!(outcome.unwrap(), Outcome::Repeated(_))
}

#[test]
fn a_repeated_request_gives_the_first_answer_whatever_has_happened_since() {
    let mut ns = Namespace::new();
    let of = |revision| HandoffId(Revision(revision));
    let described = UpdateTask { description: Some("other".into()), ..touched("t") };
    let impossible = Proposal { transfer: keys(&["no"], ConflictPolicy::Fail), ..proposal("t", "b", "a") };
    let actions = [
        create_with("t", "a", object(r#"{"n": {"k": [1, true, null, "x"]}}"#)),
        know("a", object(r#"{"k": 1}"#)),
        start("t"),
        hand_off("t", "a", "b"),
        hand_off("t", "a", "b"),
        Action::UpdateTask(described),
        initiate("t", "b", "c"),
        withdraw(of(7)),
        Action::InitiateHandoff(impossible.clone()),
        execute_handoff(of(9)),
        Action::HandOff(impossible),
        initiate("t", "b", "c"),
        execute_handoff(of(12)),
        transfer("a", "d", Default::default()),
        switch(BuiltInRule::PingPong, false),
        end("t", baton_core::End::Cancel),
        switch(BuiltInRule::FinishedTask, false),
        hand_off("t", "c", "a"),
    ];
    let ids: Vec<String> = (0..actions.len()).map(|number| format!("r-{number}")).collect();
    let first: Vec<Answer> =
        ids.iter().zip(&actions).map(|(id, action)| recorded(ns.send(id, action.clone()))).collect();
    let head = ns.state.head();
    let restored =
        State::from_checkpoint(CHECKPOINT_FORMAT, &ns.state.to_checkpoint(), RequestMemory::default())
            .unwrap();
    for ((id, action), first) in ids.iter().zip(&actions).zip(&first) {
        for state in [&ns.state, &restored] {
            assert_eq!(told_again(state, id, action.clone(), ns.now_us), shown(first));
        }
    }
    assert_eq!(ns.state.head(), head);
}

#[test]
fn a_request_id_is_refused_with_another_body() {
    let mut ns = Namespace::new();
    recorded(ns.send("r", create("t", "a")));
    let rejection = ns.send("r", create("t", "b")).unwrap_err();
    assert_eq!(rejection, Rejection::RequestIdReused { request_id: "r".into() });
}

#[test]
fn a_refused_request_is_not_remembered() {
    let mut ns = Namespace::new();
    assert!(ns.send("r", touch("t")).is_err());
    ns.grant(create("t", "a"));
    recorded(ns.send("r", touch("t")));
}

#[test]
fn commands_without_a_request_id_are_never_the_same() {
    let mut ns = Namespace::new();
    ns.grant(create("t", "a"));
    recorded(ns.send("", touch("t")));
    recorded(ns.send("", touch("t")));
}

#[test]
fn a_request_is_remembered_until_it_is_too_old() {
    let memory = RequestMemory { age_us_max: 10 * SECOND_US, count_max: 100 };
    let mut ns = Namespace::remembering(memory);
    recorded(ns.send("create", create("t", "a")));
    recorded(ns.send("r", touch("t")));
    ns.now_us += 8 * SECOND_US;
    assert!(is_repeated(ns.send("r", touch("t"))), "9 s old");
    recorded(ns.send("r", touch("t")));
    ns.now_us += 8 * SECOND_US;
    assert!(is_repeated(ns.send("r", touch("t"))), "an old id that was used again is young");
}

#[test]
fn of_too_many_requests_the_oldest_are_forgotten() {
    let memory = RequestMemory { count_max: 3, ..RequestMemory::default() };
    let mut ns = Namespace::remembering(memory);
    ns.grant(create("t", "a"));
    for id in ["1", "2", "3", "4"] {
        recorded(ns.send(id, touch("t")));
    }
    for id in ["2", "3", "4"] {
        assert!(is_repeated(ns.send(id, touch("t"))), "{id} is among the newest three");
    }
    recorded(ns.send("1", touch("t")));
}

#[test]
fn of_too_many_requests_in_one_batch_the_oldest_are_forgotten() {
    let memory = RequestMemory { count_max: 8, ..RequestMemory::default() };
    let mut state = State::new(memory);
    let mut draft = Draft::new(&state);
    let request =
        |number: usize| Command::new(&format!("r-{number}"), 1, create(&format!("t-{number}"), "a"));
    for number in 0..32 {
        execute(&mut draft, &request(number), 1).unwrap();
    }
    let changes = draft.into_changes();
    state.absorb(changes);
    let mut draft = Draft::new(&state);
    for number in 24..32 {
        assert!(
            is_repeated(execute(&mut draft, &request(number), 1)),
            "request {number} is among the newest 8"
        );
    }
    for number in 0..24 {
        let rejection = execute(&mut draft, &request(number), 1).unwrap_err();
        assert!(matches!(rejection, Rejection::TaskExists { .. }), "request {number}: {rejection}");
    }
}

#[test]
fn a_batch_remembers_its_own_requests() {
    let state = State::default();
    let mut draft = Draft::new(&state);
    let command = Command::new("r", 1, create("t", "a"));
    recorded(execute(&mut draft, &command, 1));
    assert!(is_repeated(execute(&mut draft, &command, 1)));
}

#[test]
fn requests_of_a_dropped_batch_are_not_remembered() {
    let state = State::default();
    let command = Command::new("r", 1, create("t", "a"));
    recorded(execute(&mut Draft::new(&state), &command, 1));
    recorded(execute(&mut Draft::new(&state), &command, 1));
}

/// What the request `id` was answered, by a state that remembers it.
#[track_caller]
fn told_again(state: &State, id: &str, action: Action, now_us: i64) -> Answer {
    match execute(&mut Draft::new(state), &Command::new(id, now_us, action), now_us).unwrap() {
        Outcome::Repeated(answer) => answer,
        other => panic!("{id} was forgotten: {other:?}"),
    }
}

#[test]
fn of_thousands_of_requests_exactly_the_newest_are_remembered_before_and_after_a_restart() {
    let memory = RequestMemory { count_max: 1_500, ..RequestMemory::default() };
    let mut ns = Namespace::remembering(memory);
    ns.grant(create("t", "a"));
    let id = |number: usize| format!("a-request-with-an-id-of-some-length-{number}");
    let first: Vec<Answer> = (0..5_000).map(|number| recorded(ns.send(&id(number), touch("t")))).collect();
    let restored = State::from_checkpoint(CHECKPOINT_FORMAT, &ns.state.to_checkpoint(), memory).unwrap();
    for state in [&ns.state, &restored] {
        for (number, first) in first.iter().enumerate().skip(3_500) {
            assert_eq!(told_again(state, &id(number), touch("t"), ns.now_us), shown(first));
        }
        for number in 0..3_500 {
            let again = Command::new(&id(number), ns.now_us, touch("t"));
            recorded(execute(&mut Draft::new(state), &again, ns.now_us));
        }
    }
}

#[test]
fn a_large_task_is_told_again_as_it_was_and_a_checkpoint_has_it_once() {
    const LARGE: usize = 100 * 1024;
    let mut ns = Namespace::new();
    ns.grant(create_with("t", "a", big(LARGE)));
    let first: Vec<Answer> =
        (0..50).map(|number| recorded(ns.send(&format!("r-{number}"), touch("t")))).collect();
    let emptied = UpdateTask { metadata: Some(Object::default()), ..touched("t") };
    recorded(ns.send("emptied", Action::UpdateTask(emptied)));
    let checkpoint = ns.state.to_checkpoint();
    assert!(checkpoint.len() < 2 * LARGE, "{} bytes", checkpoint.len());
    let restored = State::from_checkpoint(CHECKPOINT_FORMAT, &checkpoint, RequestMemory::default()).unwrap();
    for state in [&ns.state, &restored] {
        for (number, first) in first.iter().enumerate() {
            assert_eq!(told_again(state, &format!("r-{number}"), touch("t"), ns.now_us), shown(first));
        }
    }
}

#[test]
fn requests_are_remembered_for_a_day_or_a_million_of_them_unless_told_otherwise() {
    let RequestMemory { age_us_max, count_max } = RequestMemory::default();
    assert_eq!((age_us_max, count_max), (limits::REQUEST_MEMORY_US, limits::REQUEST_MEMORY_COUNT));
    assert_eq!((age_us_max, count_max), (24 * 3600 * SECOND_US, 1_000_000));
}
