//! Values into `google.protobuf.Struct`.

use baton_core::{Knowledge, Object, Value};
use prost_types::{ListValue, Struct, value::Kind};

/// An object as a Struct.
pub(super) fn object(object: &Object) -> Struct {
    Struct { fields: object.entries().iter().map(|(key, given)| (key.to_string(), value(given))).collect() }
}

/// An agent's state as a Struct.
pub(super) fn knowledge(knowledge: &Knowledge) -> Struct {
    Struct {
        fields: knowledge
            .entries()
            .iter()
            .map(|(key, known)| (key.to_string(), value(&known.value)))
            .collect(),
    }
}

fn value(given: &Value) -> prost_types::Value {
    let kind = match given {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(*value),
        Value::Number(value) => Kind::NumberValue(*value),
        Value::String(text) => Kind::StringValue(text.to_string()),
        Value::List(items) => Kind::ListValue(ListValue { values: items.iter().map(value).collect() }),
        Value::Object(given) => Kind::StructValue(object(given)),
    };
    prost_types::Value { kind: Some(kind) }
}
