//! A draft on changes that are still on their way stands where it would once they are absorbed.

use baton_core::{Changes, Command, Draft, Outcome, RequestMemory, execute};

use crate::{
    namespace::{Namespace, SECOND_US},
    words::{create, touch},
};

/// A namespace, and what a request makes of it a second later, which it has not absorbed yet.
fn with_changes_under_way() -> (Namespace, Changes) {
    let mut ns = Namespace::remembering(RequestMemory { age_us_max: 10 * SECOND_US, count_max: 10 });
    ns.grant(create("task", "a"));
    ns.now_us += SECOND_US;
    let mut draft = Draft::new(&ns.state);
    execute(&mut draft, &Command::new("again", ns.now_us, touch("task")), ns.now_us).unwrap();
    let changes = draft.into_changes();
    (ns, changes)
}

#[test]
fn it_goes_on_from_their_revision_and_time() {
    let (ns, changes) = with_changes_under_way();
    let draft = Draft::after(&ns.state, &changes, 1);
    assert_eq!((draft.head().0, draft.time_us()), (ns.state.head().0 + 1, ns.state.time_us() + SECOND_US));
}

#[test]
fn a_request_of_theirs_is_repeated_until_it_is_too_old() {
    let (ns, changes) = with_changes_under_way();
    for (later_us, is_repeated) in [(0, true), (10 * SECOND_US - 1, true), (10 * SECOND_US, false)] {
        let now_us = ns.now_us + later_us;
        let mut draft = Draft::after(&ns.state, &changes, 1);
        let outcome = execute(&mut draft, &Command::new("again", now_us, touch("task")), now_us).unwrap();
        assert_eq!(matches!(outcome, Outcome::Repeated(_)), is_repeated, "{later_us} us later");
    }
}
