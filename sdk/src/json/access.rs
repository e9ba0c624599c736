//! The parts of a value: each knows what it is called in the path.

use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::error::Error;
use super::key::KeySeed;
use super::path::{Part, Path};
use super::value::{Seed, Visit};

/// Elements of a list.
pub(super) struct Elements<'p, A> {
    json: A,
    path: &'p Path,
    next: usize,
}

impl<'p, A> Elements<'p, A> {
    pub fn new(json: A, path: &'p Path) -> Self {
        Self { json, path, next: 0 }
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = Error<A::Error>;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error<A::Error>> {
        let index = self.next;
        self.next += 1;
        let read = self.json.next_element_seed(Seed::new(seed, self.path)).map_err(Error);
        self.path.note(read, Part::Index(index))
    }

    fn size_hint(&self) -> Option<usize> {
        self.json.size_hint()
    }
}

/// Fields of an object.
pub(super) struct Fields<'p, A> {
    json: A,
    path: &'p Path,
    key: String,
}

impl<'p, A> Fields<'p, A> {
    pub fn new(json: A, path: &'p Path) -> Self {
        Self { json, path, key: String::new() }
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<'_, A> {
    type Error = Error<A::Error>;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error<A::Error>> {
        self.json.next_key_seed(KeySeed::new(seed, &mut self.key)).map_err(Error)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error<A::Error>> {
        let read = self.json.next_value_seed(Seed::new(seed, self.path)).map_err(Error);
        self.path.note(read, Part::Name(&self.key))
    }

    fn size_hint(&self) -> Option<usize> {
        self.json.size_hint()
    }
}

/// A variant of an enum, before and after its name is known.
pub(super) struct Variant<'p, A> {
    json: A,
    path: &'p Path,
    name: String,
}

impl<'p, A> Variant<'p, A> {
    pub fn new(json: A, path: &'p Path) -> Self {
        Self { json, path, name: String::new() }
    }
}

impl<'de, 'p, A: EnumAccess<'de>> EnumAccess<'de> for Variant<'p, A> {
    type Error = Error<A::Error>;
    type Variant = Variant<'p, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), Error<A::Error>> {
        let Self { json, path, mut name } = self;
        let (value, json) = json.variant_seed(KeySeed::new(seed, &mut name)).map_err(Error)?;
        Ok((value, Variant { json, path, name }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Variant<'_, A> {
    type Error = Error<A::Error>;

    fn unit_variant(self) -> Result<(), Error<A::Error>> {
        let read = self.json.unit_variant().map_err(Error);
        self.path.note(read, Part::Name(&self.name))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error<A::Error>> {
        let read = self.json.newtype_variant_seed(Seed::new(seed, self.path)).map_err(Error);
        self.path.note(read, Part::Name(&self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Error<A::Error>> {
        let read = self.json.tuple_variant(len, Visit::new(visitor, self.path)).map_err(Error);
        self.path.note(read, Part::Name(&self.name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error<A::Error>> {
        let read = self.json.struct_variant(fields, Visit::new(visitor, self.path)).map_err(Error);
        self.path.note(read, Part::Name(&self.name))
    }
}
