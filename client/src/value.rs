//! Turns JSON objects into `google.protobuf.Struct` and back.
//!
//! A Struct knows only 64-bit floats, so integers that a float cannot hold exactly are refused, not rounded. Knows nothing of tasks or states.

use prost_types::{ListValue, Struct, Value as WireValue, value::Kind};
use serde::Serialize;
use serde_json::{Map, Number, Value};

use crate::error::FieldViolation;

/// Every integer up to this one, and down to its negative, is a float of its own: 2^53.
const INTEGER_MAX: u64 = 1 << 53;

/// Turns anything that serializes to a JSON object into a Struct; `field` names it in what is wrong with it.
pub(crate) fn to_struct(field: &str, value: impl Serialize) -> Result<Struct, FieldViolation> {
    let json = serde_json::to_value(value)
        .map_err(|error| FieldViolation::new(field, format!("cannot be written as JSON: {error}")))?;
    match json {
        Value::Object(map) => object_to_wire(field, map),
        other => Err(FieldViolation::new(field, format!("must be a JSON object, not {}", kind_of(&other)))),
    }
}

fn object_to_wire(path: &str, map: Map<String, Value>) -> Result<Struct, FieldViolation> {
    let to_entry = |(key, value)| {
        let value = value_to_wire(&format!("{path}.{key}"), value)?;
        Ok((key, value))
    };
    Ok(Struct { fields: map.into_iter().map(to_entry).collect::<Result<_, FieldViolation>>()? })
}

fn value_to_wire(path: &str, value: Value) -> Result<WireValue, FieldViolation> {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(value),
        Value::Number(number) => Kind::NumberValue(number_to_wire(path, &number)?),
        Value::String(text) => Kind::StringValue(text),
        Value::Array(values) => Kind::ListValue(list_to_wire(path, values)?),
        Value::Object(map) => Kind::StructValue(object_to_wire(path, map)?),
    };
    Ok(WireValue { kind: Some(kind) })
}

fn list_to_wire(path: &str, values: Vec<Value>) -> Result<ListValue, FieldViolation> {
    let to_item = |(index, value)| value_to_wire(&format!("{path}[{index}]"), value);
    Ok(ListValue { values: values.into_iter().enumerate().map(to_item).collect::<Result<_, _>>()? })
}

fn number_to_wire(path: &str, number: &Number) -> Result<f64, FieldViolation> {
    let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    if magnitude.is_some_and(|magnitude| magnitude > INTEGER_MAX) {
        let description = format!("{number} is beyond 2^53 and would be rounded: send it as a string");
        return Err(FieldViolation::new(path, description));
    }
    number.as_f64().ok_or_else(|| FieldViolation::new(path, format!("{number} is not a 64-bit float")))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Turns a Struct into a JSON object; nothing becomes the empty object.
pub(crate) fn from_struct(value: Option<Struct>) -> Value {
    Value::Object(value.map(object_from_wire).unwrap_or_default())
}

fn object_from_wire(value: Struct) -> Map<String, Value> {
    value.fields.into_iter().map(|(key, value)| (key, value_from_wire(value))).collect()
}

fn value_from_wire(value: WireValue) -> Value {
    match value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(value),
        Some(Kind::NumberValue(number)) => number_from_wire(number),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => Value::Array(list.values.into_iter().map(value_from_wire).collect()),
        Some(Kind::StructValue(value)) => Value::Object(object_from_wire(value)),
    }
}

/// 3.0 becomes 3: whoever sent an integer gets an integer. NaN and the infinities, which JSON lacks, become null.
fn number_from_wire(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= INTEGER_MAX as f64 {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{from_struct, to_struct};

    #[test]
    fn an_object_comes_back_as_it_was_sent() {
        let sent = json!({
            "attempts": 3, "debt": -7, "ratio": 0.25, "most": 9_007_199_254_740_992_u64, "note": "é",
            "open": true, "nothing": null, "path": [1, [2.5], {"deep": []}], "empty": {},
        });
        let wire = to_struct("metadata", &sent).expect("every value fits");
        assert_eq!(from_struct(Some(wire)), sent);
        assert_eq!(from_struct(None), json!({}));
    }

    #[test]
    fn an_integer_that_would_be_rounded_is_refused_with_its_path() {
        for integer in [json!(9_007_199_254_740_993_u64), json!(u64::MAX), json!(i64::MIN)] {
            let refused = to_struct("state", json!({"orders": [{"id": integer}]})).expect_err("not exact");
            assert_eq!(refused.field, "state.orders[0].id");
            assert!(refused.description.contains(&integer.to_string()), "{refused}");
        }
    }

    #[test]
    fn only_an_object_can_be_sent() {
        for (value, kind) in [(json!([1]), "an array"), (json!("x"), "a string"), (Value::Null, "null")] {
            let refused = to_struct("state", value).expect_err("not an object");
            assert_eq!(refused.to_string(), format!("state: must be a JSON object, not {kind}"));
        }
    }
}
