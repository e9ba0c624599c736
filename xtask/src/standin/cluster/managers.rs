//! Who owns which fields: `metadata.managedFields` read and written.

use serde_json::{Map, Value, json};

use super::fields::{FieldSet, decode, encode};
use super::objects::set;

const API_VERSION: &str = "apps/v1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Apply,
    Update,
}

/// One manager's fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub manager: String,
    pub operation: Operation,
    pub fields: FieldSet,
    time: Value,
    subresource: Option<Value>,
}

/// All entries of an object, in their order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Managers(Vec<Entry>);

impl Managers {
    pub fn of(object: &Value) -> Self {
        let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
        Self(entries.into_iter().flatten().filter_map(Entry::read).collect())
    }

    pub fn write(&self, object: &mut Value) {
        set(object, "/metadata", "managedFields", self.0.iter().map(Entry::object).collect());
    }

    pub fn others(&self, manager: &str, operation: Operation) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(move |entry| !entry.is(manager, operation))
    }

    pub fn fields(&self, manager: &str, operation: Operation) -> FieldSet {
        let entry = self.0.iter().find(|entry| entry.is(manager, operation));
        entry.map(|entry| entry.fields.clone()).unwrap_or_default()
    }

    /// The manager's fields from now on; none: the entry goes.
    pub fn replace(&mut self, manager: &str, operation: Operation, fields: FieldSet, time: &str) {
        let known = self.0.iter_mut().find(|entry| entry.is(manager, operation));
        match known {
            Some(entry) if entry.fields == fields => {}
            Some(entry) => {
                entry.fields = fields;
                entry.time = json!(time);
            }
            None => self.0.push(Entry {
                manager: manager.to_owned(),
                operation,
                fields,
                time: json!(time),
                subresource: None,
            }),
        }
        self.0.retain(|entry| !entry.fields.is_empty());
    }

    /// Nobody but this manager owns these fields any more.
    pub fn disown(&mut self, manager: &str, operation: Operation, lost: &FieldSet) {
        for entry in self.0.iter_mut().filter(|entry| !entry.is(manager, operation)) {
            entry.fields.retain(|path| !lost.contains(path));
        }
        self.0.retain(|entry| !entry.fields.is_empty());
    }
}

/// Who writes status.
const CONTROLLER: &str = "kube-controller-manager";

impl Managers {
    /// The controller's own entry: these fields, by way of the status.
    pub fn replace_controller(&mut self, fields: FieldSet, time: &str) {
        self.0.retain(|entry| entry.subresource.is_none());
        let (manager, subresource) = (CONTROLLER.to_owned(), Some(json!("status")));
        self.0.push(Entry { manager, operation: Operation::Update, fields, time: json!(time), subresource });
    }
}

impl Entry {
    fn is(&self, manager: &str, operation: Operation) -> bool {
        self.manager == manager && self.operation == operation && self.subresource.is_none()
    }

    fn read(object: &Value) -> Option<Self> {
        let operation = match object.get("operation")?.as_str()? {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return None,
        };
        Some(Self {
            manager: object.get("manager")?.as_str()?.to_owned(),
            operation,
            fields: decode(object.get("fieldsV1")?),
            time: object.get("time").cloned().unwrap_or_default(),
            subresource: object.get("subresource").cloned(),
        })
    }

    fn object(&self) -> Value {
        let operation = if self.operation == Operation::Apply { "Apply" } else { "Update" };
        let mut object = Map::new();
        object.insert("manager".to_owned(), json!(self.manager));
        object.insert("operation".to_owned(), json!(operation));
        object.insert("apiVersion".to_owned(), json!(API_VERSION));
        object.insert("time".to_owned(), self.time.clone());
        object.insert("fieldsType".to_owned(), json!("FieldsV1"));
        object.insert("fieldsV1".to_owned(), encode(&self.fields));
        if let Some(subresource) = &self.subresource {
            object.insert("subresource".to_owned(), subresource.clone());
        }
        Value::Object(object)
    }
}
