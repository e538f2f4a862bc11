//! JSON-like values: task metadata and agent state.
//!
//! Cheap to clone: what is large is shared. Knows nothing of JSON text or of `google.protobuf.Struct`.

use std::{collections::BTreeMap, sync::Arc};

use minicbor::{Decode, Decoder, Encode, Encoder, data::Type, decode::Error};

use crate::{Text, codec::length, limits::VALUE_DEPTH_MAX};

/// Deepest nesting that is read, in levels: more than may enter, so that all that was written can be read; and few enough
/// that damage cannot exhaust the stack.
const DECODED_DEPTH_MAX: usize = 4 * VALUE_DEPTH_MAX;

/// A JSON value. Numbers are doubles, as in `google.protobuf.Struct`.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A finite number; the border refuses others.
    Number(f64),
    /// A text.
    String(Text),
    /// A list.
    List(Arc<[Value]>),
    /// An object.
    Object(Object),
}

/// A JSON object, its keys in order.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Object(Option<Arc<BTreeMap<Text, Value>>>);

/// What objects have that have nothing.
static NO_ENTRIES: BTreeMap<Text, Value> = BTreeMap::new();

impl Object {
    /// Shares `entries`.
    pub fn new(entries: BTreeMap<Text, Value>) -> Self {
        Self((!entries.is_empty()).then(|| Arc::new(entries)))
    }

    /// The entries in the order of their keys.
    pub fn entries(&self) -> &BTreeMap<Text, Value> {
        self.0.as_deref().unwrap_or(&NO_ENTRIES)
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Size in bytes, as [`Value::size`] counts.
    pub fn size(&self) -> usize {
        self.entries().iter().map(|(key, value)| key.len() + value.size()).sum()
    }

    /// Applies a JSON merge patch (RFC 7396) at every level.
    #[must_use]
    pub fn patched(&self, patch: &Self) -> Self {
        let mut entries = self.entries().clone();
        for (key, change) in patch.entries() {
            match patched_value(entries.get(key), change) {
                Some(value) => entries.insert(key.clone(), value),
                None => entries.remove(key),
            };
        }
        Self::new(entries)
    }
}

/// What a member becomes under a merge patch; `None`: it goes away.
pub(crate) fn patched_value(present: Option<&Value>, change: &Value) -> Option<Value> {
    match (present, change) {
        (_, Value::Null) => None,
        (Some(Value::Object(present)), Value::Object(change)) => Some(Value::Object(present.patched(change))),
        (_, Value::Object(change)) => Some(Value::Object(Object::default().patched(change))),
        (_, other) => Some(other.clone()),
    }
}

impl Value {
    /// Size in bytes: the bytes of all texts and keys, and 8 for each value. Close to what its encodings take.
    pub fn size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 8,
            Self::String(text) => text.len() + 8,
            Self::List(items) => items.iter().map(Self::size).sum::<usize>() + 8,
            Self::Object(object) => object.size() + 8,
        }
    }

    /// The address of what is shared, if anything is: equal addresses mean equal values.
    pub(crate) fn shared_address(&self) -> Option<usize> {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => None,
            Self::String(text) => Some(text.as_str().as_ptr().addr()),
            Self::List(items) => Some(items.as_ptr().addr()),
            Self::Object(object) => Some(std::ptr::from_ref(object.entries()).addr()),
        }
    }
}

impl<C> Encode<C> for Value {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        match self {
            Self::Null => e.null()?.ok(),
            Self::Bool(value) => e.bool(*value)?.ok(),
            Self::Number(value) => e.f64(*value)?.ok(),
            Self::String(text) => text.encode(e, ctx),
            Self::List(items) => {
                e.array(items.len() as u64)?;
                items.iter().try_for_each(|item| item.encode(e, ctx))
            }
            Self::Object(object) => object.encode(e, ctx),
        }
    }
}

impl<'b, C> Decode<'b, C> for Value {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        Self::decode_nested(d, DECODED_DEPTH_MAX)
    }
}

impl Value {
    fn decode_nested(d: &mut Decoder<'_>, levels_left: usize) -> Result<Self, Error> {
        Ok(match d.datatype()? {
            Type::Null => {
                d.null()?;
                Self::Null
            }
            Type::Bool => Self::Bool(d.bool()?),
            Type::F64 => Self::Number(d.f64()?),
            Type::String => Self::String(d.decode()?),
            Type::Array => {
                let levels_left = one_level_less(levels_left)?;
                let count = length(d.array()?)?;
                Self::List((0..count).map(|_| Self::decode_nested(d, levels_left)).collect::<Result<_, _>>()?)
            }
            Type::Map => Self::Object(Object::decode_nested(d, levels_left)?),
            other => return Err(Error::type_mismatch(other)),
        })
    }
}

impl<C> Encode<C> for Object {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.entries().encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for Object {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        Self::decode_nested(d, DECODED_DEPTH_MAX)
    }
}

impl Object {
    fn decode_nested(d: &mut Decoder<'_>, levels_left: usize) -> Result<Self, Error> {
        let levels_left = one_level_less(levels_left)?;
        let count = length(d.map()?)?;
        let member = |_| Ok((d.decode()?, Value::decode_nested(d, levels_left)?));
        (0..count).map(member).collect::<Result<_, _>>().map(Self::new)
    }
}

fn one_level_less(levels_left: usize) -> Result<usize, Error> {
    levels_left.checked_sub(1).ok_or_else(|| Error::message("a value is nested too deep"))
}
