//! How an update changes a state: merged, replaced or patched.

use baton_core::{Obstacle, Rejection, UpdateMode, Value, limits};

use crate::{
    namespace::Namespace,
    words::{BIG_BYTES, big, know, object, state},
};

/// The objects among the examples of RFC 7396, appendix A, and the one of section 3: target, patch, result.
const PATCHES: [(&str, &str, &str); 11] = [
    (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
    (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
    (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
    (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
    (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
    (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
    (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
    (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
    (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
    ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
    (
        r#"{"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"}"#,
        r#"{"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]}"#,
        r#"{"title":"Hello!","author":{"givenName":"John"},"tags":["example"],"content":"This will be unchanged","phoneNumber":"+01-123-456-7890"}"#,
    ),
];

/// The examples of RFC 7396, appendix A, in which target or patch is no object; `None`: the member goes away.
const PATCHES_OF_A_MEMBER: [(&str, &str, Option<&str>); 5] = [
    (r#"["a","b"]"#, r#"["c","d"]"#, Some(r#"["c","d"]"#)),
    (r#"{"a":"b"}"#, r#"["c"]"#, Some(r#"["c"]"#)),
    (r#"{"a":"foo"}"#, "null", None),
    (r#"{"a":"foo"}"#, r#""bar""#, Some(r#""bar""#)),
    ("[1,2]", r#"{"a":"b","c":null}"#, Some(r#"{"a":"b"}"#)),
];

#[track_caller]
fn becomes(mode: UpdateMode, target: &str, update: &str, result: &str) {
    let mut ns = Namespace::new();
    ns.grant(state("a", UpdateMode::Replace, object(target)));
    ns.grant(state("a", mode, object(update)));
    assert_eq!(ns.known_by("a"), object(result), "{mode:?} of {target} by {update}");
    let replaced = ns.agent("a").history.entries()[1].after.clone();
    assert_eq!(replaced, ns.agent("a").state.knowledge, "the history tells the state after each change");
}

#[test]
fn a_patch_does_what_rfc_7396_says() {
    for (target, patch, result) in PATCHES {
        becomes(UpdateMode::Patch, target, patch, result);
    }
}

#[test]
fn a_patch_does_so_at_every_level() {
    let inside = |json: &str| format!(r#"{{"in":{json}}}"#);
    for (target, patch, result) in PATCHES {
        becomes(UpdateMode::Patch, &inside(target), &inside(patch), &inside(result));
    }
    for (target, patch, result) in PATCHES_OF_A_MEMBER {
        let result = result.map_or("{}".to_owned(), inside);
        becomes(UpdateMode::Patch, &inside(target), &inside(patch), &result);
    }
}

#[test]
fn a_merge_replaces_the_keys_at_the_top_and_leaves_the_others() {
    becomes(UpdateMode::Merge, r#"{"a":1,"b":2}"#, r#"{"b":3,"c":4}"#, r#"{"a":1,"b":3,"c":4}"#);
    becomes(UpdateMode::Merge, r#"{"a":{"x":1}}"#, r#"{"a":{"y":2}}"#, r#"{"a":{"y":2}}"#);
    becomes(UpdateMode::Merge, r#"{"a":1}"#, r#"{"a":null}"#, r#"{"a":null}"#);
    becomes(UpdateMode::Merge, r#"{"a":1}"#, "{}", r#"{"a":1}"#);
}

#[test]
fn a_replacement_leaves_nothing_of_what_was() {
    becomes(UpdateMode::Replace, r#"{"a":1,"b":2}"#, r#"{"b":{"x":null}}"#, r#"{"b":{"x":null}}"#);
    becomes(UpdateMode::Replace, r#"{"a":1}"#, "{}", "{}");
}

#[test]
fn a_state_grows_to_2_mib_and_no_further() {
    let mut ns = Namespace::new();
    ns.grant(know("a", big(limits::STATE_BYTES_MAX - BIG_BYTES)));
    assert_eq!(ns.agent("a").state.knowledge.size(), limits::STATE_BYTES_MAX);
    let obstacle = Obstacle::TooManyBytes(limits::STATE_BYTES_MAX + 9);
    assert_eq!(
        ns.refuse(know("a", object(r#"{"k":1}"#))),
        Rejection::State { agent_id: "a".into(), obstacle }
    );
    ns.grant(state("a", UpdateMode::Patch, object(r#"{"big":null,"k":1}"#)));
    assert_eq!(ns.agent("a").state.knowledge.size(), 9);
}

#[test]
fn a_state_has_1024_keys_at_the_top_and_no_more() {
    let mut ns = Namespace::new();
    let keys = |prefix: &str, count: usize| {
        let entries = (0..count).map(|number| (format!("{prefix}{number}").into(), Value::Null));
        baton_core::Object::new(entries.collect())
    };
    ns.grant(know("a", keys("k", limits::STATE_KEYS_MAX)));
    let obstacle = Obstacle::TooManyKeys(limits::STATE_KEYS_MAX + 1);
    assert_eq!(ns.refuse(know("a", keys("x", 1))), Rejection::State { agent_id: "a".into(), obstacle });
}

#[test]
fn an_update_ends_the_note_of_where_a_state_came_from() {
    let mut ns = Namespace::new();
    ns.grant(know("a", object(r#"{"k":1}"#)));
    ns.grant(crate::words::transfer("a", "b", Default::default()));
    assert_eq!(ns.agent("b").state.transferred_from.as_deref(), Some("a"));
    ns.grant(know("b", object(r#"{"k":2}"#)));
    assert_eq!(ns.agent("b").state.transferred_from, None);
}
