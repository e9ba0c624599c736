//! The upper part of a script: the definition.

use serde_json::{Map, Value, json};

#[derive(Default)]
pub struct Intent {
    pub input: Value,
    pub dry_run: bool,
    definition: Map<String, Value>,
    steps: Vec<Value>,
}

impl Intent {
    pub fn read(&mut self, word: &str, rest: &str) {
        match word {
            "input" => self.input = serde_json::from_str(rest).unwrap(),
            "output" => {
                self.definition.insert("output".to_owned(), serde_json::from_str(rest).unwrap());
            }
            "order" => {
                self.definition.insert("order".to_owned(), rest.into());
            }
            "dry-run" => self.dry_run = true,
            "timeout" | "concurrency" => {
                let value = serde_json::from_str(rest).unwrap_or_else(|_| rest.into());
                self.definition.insert(word.to_owned(), value);
            }
            "step" => self.steps.push(read_step(rest)),
            other => panic!("a script has no line {other:?}"),
        }
    }

    pub fn definition(&self) -> Value {
        let mut definition = self.definition.clone();
        definition.insert("steps".to_owned(), self.steps.clone().into());
        Value::Object(definition)
    }
}

fn read_step(text: &str) -> Value {
    let (text, parameters) = text.split_once(" with ").unwrap_or((text, "{}"));
    let (text, keys) = text.split_once(" keys ").unwrap_or((text, "{}"));
    let mut words = text.split_whitespace().peekable();
    let mut step = json!({ "id": words.next().unwrap(), "action": "plain" });
    step["parameters"] = serde_json::from_str(parameters).unwrap();
    let keys: Map<String, Value> = serde_json::from_str(keys).unwrap();
    step.as_object_mut().unwrap().extend(keys);
    while let Some(word) = words.next() {
        match word {
            "after" => {
                let is_id = |word: &&str| !["uses", "timeout", "retry"].contains(word);
                let ids: Vec<&str> = std::iter::from_fn(|| words.next_if(is_id)).collect();
                step["depends_on"] = json!(ids);
            }
            "uses" => step["action"] = words.next().unwrap().into(),
            "timeout" => step["timeout"] = words.next().unwrap().into(),
            "retry" => step["retry"] = serde_json::from_str(words.next().unwrap()).unwrap(),
            other => panic!("a step has no word {other:?}"),
        }
    }
    step
}
