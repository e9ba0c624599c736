//! JSON Schemas of the author's types.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// Of what is read: parameters and configuration.
pub fn read<T: JsonSchema>() -> Value {
    closed(schema::<T>(SchemaSettings::draft2020_12()))
}

/// Of what is written: results.
pub fn written<T: JsonSchema>() -> Value {
    schema::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn schema<T: JsonSchema>(settings: SchemaSettings) -> Value {
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// A misspelt parameter must be found, so the outermost object takes no unknown ones unless the type says so.
fn closed(mut schema: Value) -> Value {
    if let Some(fields) = schema.as_object_mut()
        && fields.get("type").and_then(Value::as_str) == Some("object")
        && !fields.contains_key("additionalProperties")
        && !fields.contains_key("unevaluatedProperties")
    {
        fields.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    schema
}
