//! The key of a field or the name of a variant: read for the author's type, and remembered for the path.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, Visitor};

use super::error::Error;

/// A type's way to make a key.
pub(super) struct KeySeed<'k, S> {
    seed: S,
    key: &'k mut String,
}

impl<'k, S> KeySeed<'k, S> {
    pub fn new(seed: S, key: &'k mut String) -> Self {
        Self { seed, key }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for KeySeed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(Key { json, key: self.key }).map_err(|Error(error)| error)
    }
}

/// A key that is still to be read. Keys of other types than text are asked for as such: in JSON they stand in quotes.
struct Key<'k, D> {
    json: D,
    key: &'k mut String,
}

macro_rules! ask {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error<D::Error>> {
            self.json.$method(VisitKey { visitor, key: self.key }).map_err(Error)
        })+
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Key<'_, D> {
    type Error = Error<D::Error>;

    ask! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string deserialize_bytes
        deserialize_byte_buf deserialize_option deserialize_unit deserialize_seq deserialize_map
        deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error<D::Error>> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error<D::Error>> {
        let visitor = VisitKey { visitor, key: self.key };
        self.json.deserialize_newtype_struct(name, visitor).map_err(Error)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error<D::Error>> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error<D::Error>> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error<D::Error>> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error<D::Error>> {
        let visitor = VisitKey { visitor, key: self.key };
        self.json.deserialize_enum(name, variants, visitor).map_err(Error)
    }
}

/// A key's visitor.
struct VisitKey<'k, V> {
    visitor: V,
    key: &'k mut String,
}

/// What is written in the path as it displays itself.
macro_rules! visit_shown {
    ($($method:ident: $type:ty,)+) => {
        $(fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            *self.key = value.to_string();
            self.visitor.$method(value).map_err(|Error(error)| error)
        })+
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for VisitKey<'_, V> {
    type Value = V::Value;

    visit_shown! {
        visit_bool: bool,
        visit_i64: i64,
        visit_u64: u64,
        visit_i128: i128,
        visit_u128: u128,
        visit_f64: f64,
        visit_str: &str,
        visit_borrowed_str: &'de str,
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_bytes<E: de::Error>(self, value: &[u8]) -> Result<V::Value, E> {
        self.visitor.visit_bytes(value).map_err(|Error(error)| error)
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit().map_err(|Error(error)| error)
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none().map_err(|Error(error)| error)
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Key { json, key: self.key }).map_err(|Error(error)| error)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, json: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Key { json, key: self.key }).map_err(|Error(error)| error)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, json: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(json)
    }
}
