//! A repeated request gives the first answer again, within the bounds of the memory.

use baton_core::{
    Answer, BuiltInRule, Command, Draft, Outcome, Rejection, RequestMemory, State, execute, limits,
};

use crate::{
    namespace::{Namespace, SECOND_US},
    words::{create, end, hand_off, know, object, start, switch, touch},
};

fn recorded(outcome: Result<Outcome, Rejection>) -> Answer {
    match outcome.unwrap() {
        Outcome::Recorded(_, answer) => answer,
        Outcome::Repeated(answer) => panic!("done before: {answer:?}"),
    }
}

fn is_repeated(outcome: Result<Outcome, Rejection>) -> bool {
    matches!(outcome.unwrap(), Outcome::Repeated(_))
}

#[test]
fn a_repeated_request_gives_the_first_answer_whatever_has_happened_since() {
    let mut ns = Namespace::new();
    let actions = [
        create("t", "a"),
        know("a", object(r#"{"k": 1}"#)),
        start("t"),
        hand_off("t", "a", "b"),
        hand_off("t", "a", "b"),
        switch(BuiltInRule::PingPong, false),
        end("t", baton_core::End::Cancel),
    ];
    let ids: Vec<String> = (0..actions.len()).map(|number| format!("r-{number}")).collect();
    let first: Vec<Answer> =
        ids.iter().zip(&actions).map(|(id, action)| recorded(ns.send(id, action.clone()))).collect();
    let head = ns.state.head();
    for ((id, action), first) in ids.iter().zip(&actions).zip(&first) {
        match ns.send(id, action.clone()).unwrap() {
            Outcome::Repeated(again) => assert_eq!(again, *first),
            Outcome::Recorded(entry, _) => panic!("{id} was done again: {entry:?}"),
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

#[test]
fn requests_are_remembered_for_a_day_or_a_million_of_them_unless_told_otherwise() {
    let RequestMemory { age_us_max, count_max } = RequestMemory::default();
    assert_eq!((age_us_max, count_max), (limits::REQUEST_MEMORY_US, limits::REQUEST_MEMORY_COUNT));
    assert_eq!((age_us_max, count_max), (24 * 3600 * SECOND_US, 1_000_000));
}
