//! Why a text is not a value of a type, in words.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

/// An error of the reader below, made of our own words.
#[derive(Debug)]
pub(super) struct Error<E>(pub E);

impl<E: de::Error> Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

impl<E: de::Error> std::error::Error for Error<E> {}

impl<E: de::Error> de::Error for Error<E> {
    fn custom<T: Display>(message: T) -> Self {
        Self(E::custom(message))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(E::custom(format_args!("invalid type: {}, expected {expected}", Found(found))))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self(E::custom(format_args!("invalid value: {}, expected {expected}", Found(found))))
    }
}

/// What stands there, without the digits of a floating point number.
struct Found<'a>(Unexpected<'a>);

impl Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.0 {
            Unexpected::Bool(value) => return write!(f, "boolean `{value}`"),
            Unexpected::Unsigned(value) => return write!(f, "integer `{value}`"),
            Unexpected::Signed(value) => return write!(f, "integer `{value}`"),
            Unexpected::Char(value) => return write!(f, "character `{value}`"),
            Unexpected::Str(value) => return write!(f, "string {value:?}"),
            Unexpected::Other(word) => word,
            Unexpected::Float(_) => "floating point number",
            Unexpected::Bytes(_) => "byte array",
            Unexpected::Unit => "null",
            Unexpected::Option => "option",
            Unexpected::Seq => "sequence",
            Unexpected::Map => "map",
            Unexpected::NewtypeStruct => "newtype struct",
            Unexpected::Enum
            | Unexpected::UnitVariant
            | Unexpected::NewtypeVariant
            | Unexpected::TupleVariant
            | Unexpected::StructVariant => "variant",
        };
        f.write_str(word)
    }
}
