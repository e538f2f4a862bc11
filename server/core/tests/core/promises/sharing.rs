//! A transfer costs the same whatever the state's size: the record names it, memory shares it.

use baton_core::{
    Action, CHECKPOINT_FORMAT, ConflictPolicy, Outcome, Proposal, RequestMemory, State, Value, encode_body,
};

use crate::{
    namespace::Namespace,
    words::{all_keys, big, create, know, object, proposal},
};

/// `a` knows a text of `bytes`, `b` knows `own`, and the task `t` goes from `a` to `b`. Gives the size of the record, too.
fn handed_on(bytes: usize, own: &str) -> (Namespace, usize) {
    let mut ns = Namespace::new();
    ns.grant(create("t", "a"));
    ns.grant(know("a", big(bytes)));
    ns.grant(know("b", object(own)));
    let asked = Proposal { transfer: all_keys(ConflictPolicy::Overwrite), ..proposal("t", "a", "b") };
    let Outcome::Recorded(entry, _) = ns.send("r", Action::HandOff(asked)).unwrap() else { panic!() };
    (ns, encode_body(&[entry]).len())
}

/// Where the large text of an agent is in memory.
fn address(state: &State, agent: &str) -> *const u8 {
    match &state.agent(agent).unwrap().state.knowledge.entries()["big"].value {
        Value::String(text) => text.as_ptr(),
        other => panic!("{other:?}"),
    }
}

const LARGE: usize = 1024 * 1024 - 16;

#[test]
fn the_record_of_a_hand_off_is_small_and_as_large_for_any_state() {
    let (large, small) = (handed_on(LARGE, "{}").1, handed_on(1, "{}").1);
    assert_eq!(large, small);
    assert!(large < 1024, "{large} bytes");
}

#[test]
fn a_receiver_with_nothing_of_its_own_shares_all_that_the_sender_knows() {
    let (ns, _) = handed_on(LARGE, r#"{"big":"old"}"#);
    let of = |agent: &str| std::ptr::from_ref(ns.agent(agent).state.knowledge.entries());
    assert_eq!(of("a"), of("b"));
}

#[test]
fn a_receiver_with_keys_of_its_own_shares_the_values() {
    let (ns, _) = handed_on(LARGE, r#"{"own":1}"#);
    assert_eq!(address(&ns.state, "a"), address(&ns.state, "b"));
    assert_eq!(ns.known_by("b").entries().len(), 2);
}

#[test]
fn a_checkpoint_writes_shared_state_once_and_it_is_shared_again_when_read() {
    let (ns, _) = handed_on(LARGE, r#"{"own":1}"#);
    let bytes = ns.state.to_checkpoint();
    // Once in the table, once in the update that the history tells.
    assert!(bytes.len() < 2 * LARGE + 4096, "{} bytes", bytes.len());
    let restored = State::from_checkpoint(CHECKPOINT_FORMAT, &bytes, RequestMemory::default()).unwrap();
    assert_eq!(address(&restored, "a"), address(&restored, "b"));
}

#[test]
fn a_checkpoint_is_the_same_whether_equal_state_is_shared_or_not() {
    let knowing = |of_a, of_b| {
        let mut ns = Namespace::new();
        ns.grant(know("a", of_a));
        ns.grant(know("b", of_b));
        ns.state
    };
    let (one, other) = (big(LARGE), big(LARGE));
    let (shared, apart) = (knowing(one.clone(), one.clone()), knowing(one, other));
    assert_eq!(address(&shared, "a"), address(&shared, "b"));
    assert_ne!(address(&apart, "a"), address(&apart, "b"));
    assert!(shared.to_checkpoint() == apart.to_checkpoint());
}
