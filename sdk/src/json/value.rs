//! A value of the text, and what visits it for the author's type.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::access::{Elements, Fields, Variant};
use super::error::Error;
use super::path::Path;

/// A value that is still to be read.
pub(super) struct Value<'p, D> {
    json: D,
    path: &'p Path,
}

impl<'p, D> Value<'p, D> {
    pub fn new(json: D, path: &'p Path) -> Self {
        Self { json, path }
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Value<'_, D> {
    type Error = Error<D::Error>;

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string
        unit unit_struct seq tuple tuple_struct map struct identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error<D::Error>> {
        self.json.deserialize_any(Visit::new(visitor, self.path)).map_err(Error)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error<D::Error>> {
        self.json.deserialize_i128(Visit::new(visitor, self.path)).map_err(Error)
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error<D::Error>> {
        self.json.deserialize_u128(Visit::new(visitor, self.path)).map_err(Error)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error<D::Error>> {
        self.json.deserialize_bytes(Visit::new(visitor, self.path)).map_err(Error)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error<D::Error>> {
        self.json.deserialize_byte_buf(Visit::new(visitor, self.path)).map_err(Error)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error<D::Error>> {
        self.json.deserialize_option(Visit::new(visitor, self.path)).map_err(Error)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error<D::Error>> {
        self.json.deserialize_newtype_struct(name, Visit::new(visitor, self.path)).map_err(Error)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error<D::Error>> {
        self.json.deserialize_enum(name, variants, Visit::new(visitor, self.path)).map_err(Error)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error<D::Error>> {
        self.json.deserialize_ignored_any(Visit::new(visitor, self.path)).map_err(Error)
    }
}

/// A type's way to make a value, with our own errors.
pub(super) struct Seed<'p, S> {
    seed: S,
    path: &'p Path,
}

impl<'p, S> Seed<'p, S> {
    pub fn new(seed: S, path: &'p Path) -> Self {
        Self { seed, path }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(Value::new(json, self.path)).map_err(|Error(error)| error)
    }
}

/// A type's visitor, with our own errors.
pub(super) struct Visit<'p, V> {
    visitor: V,
    path: &'p Path,
}

impl<'p, V> Visit<'p, V> {
    pub fn new(visitor: V, path: &'p Path) -> Self {
        Self { visitor, path }
    }
}

/// What has no parts goes on as it is.
macro_rules! visit_plain {
    ($($method:ident: $type:ty,)+) => {
        $(fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value).map_err(|Error(error)| error)
        })+
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Visit<'_, V> {
    type Value = V::Value;

    visit_plain! {
        visit_bool: bool,
        visit_i64: i64,
        visit_u64: u64,
        visit_i128: i128,
        visit_u128: u128,
        visit_f64: f64,
        visit_str: &str,
        visit_borrowed_str: &'de str,
        visit_bytes: &[u8],
        visit_borrowed_bytes: &'de [u8],
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit().map_err(|Error(error)| error)
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none().map_err(|Error(error)| error)
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Value::new(json, self.path)).map_err(|Error(error)| error)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, json: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Value::new(json, self.path)).map_err(|Error(error)| error)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, json: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(Elements::new(json, self.path)).map_err(|Error(error)| error)
    }

    fn visit_map<A: MapAccess<'de>>(self, json: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Fields::new(json, self.path)).map_err(|Error(error)| error)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, json: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(Variant::new(json, self.path)).map_err(|Error(error)| error)
    }
}
