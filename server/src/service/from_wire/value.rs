//! `google.protobuf.Struct` into values: finite numbers, bounded depth and size.

use std::collections::BTreeMap;

use baton_core::{
    Object, Text, Value,
    limits::{ID_BYTES_MAX, VALUE_DEPTH_MAX},
};
use prost_types::{Struct, value::Kind};

use super::Check;

/// The object that `given` is; an absent one is empty.
pub(super) fn object(check: &mut Check, field: &str, given: Option<Struct>, bytes_max: usize) -> Object {
    let Some(given) = given else { return Object::default() };
    let mut reading = Reading { check, field };
    let object = reading.object(given, 1);
    let bytes = object.size();
    if bytes > bytes_max {
        check.wrong(field, format!("has {bytes} bytes; the limit is {bytes_max}"));
    }
    object
}

struct Reading<'a> {
    check: &'a mut Check,
    field: &'a str,
}

impl Reading<'_> {
    fn object(&mut self, given: Struct, depth: usize) -> Object {
        if depth > VALUE_DEPTH_MAX {
            self.check.wrong(self.field, format!("is nested deeper than {VALUE_DEPTH_MAX} levels"));
            return Object::default();
        }
        let mut entries = BTreeMap::new();
        for (key, value) in given.fields {
            if key.len() > ID_BYTES_MAX {
                let description =
                    format!("has a key of {} bytes at level {depth}; the limit is {ID_BYTES_MAX}", key.len());
                self.check.wrong(self.field, description);
            }
            let value = self.value(value.kind, &key, depth);
            entries.insert(Text::new(key), value);
        }
        Object::new(entries)
    }

    fn value(&mut self, kind: Option<Kind>, key: &str, depth: usize) -> Value {
        match kind {
            Some(Kind::NullValue(_)) => Value::Null,
            Some(Kind::BoolValue(value)) => Value::Bool(value),
            Some(Kind::NumberValue(number)) => {
                if !number.is_finite() {
                    let description = format!("has {number} at key {key:?}; JSON has finite numbers only");
                    self.check.wrong(self.field, description);
                }
                Value::Number(number)
            }
            Some(Kind::StringValue(text)) => Value::String(Text::new(text)),
            Some(Kind::ListValue(list)) => self.list(list.values, key, depth + 1),
            Some(Kind::StructValue(object)) => Value::Object(self.object(object, depth + 1)),
            None => {
                self.check
                    .wrong(self.field, format!("has a value of no kind at key {key:?}; null is null_value"));
                Value::Null
            }
        }
    }

    fn list(&mut self, items: Vec<prost_types::Value>, key: &str, depth: usize) -> Value {
        if depth > VALUE_DEPTH_MAX {
            self.check.wrong(self.field, format!("is nested deeper than {VALUE_DEPTH_MAX} levels"));
            return Value::Null;
        }
        Value::List(items.into_iter().map(|item| self.value(item.kind, key, depth)).collect())
    }
}
