//! Reads JSON into the author's types. The error begins with the path of what does not fit.
//!
//! Between `serde_json` and the types stands a reader of our own. It knows the path, and it makes the errors: those of
//! `serde_json` can show any number, and the code that writes floating point numbers would be a fifth of a small plugin.
//! For the same reason the reader asks `serde_json` for whatever comes next instead of for what the type wants.

mod access;
mod error;
mod key;
mod path;
mod value;

use serde::de::DeserializeOwned;

use path::Path;
use value::Value;

/// Reads the whole text.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let path = Path::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Value::new(&mut json, &path)).map_err(|error| path.before(&error))?;
    json.end().map_err(|error| error.to_string())?;
    Ok(value)
}

#[cfg(test)]
mod tests;
