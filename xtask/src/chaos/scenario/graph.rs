//! Steps beside each other.

use serde_json::{Value, json};

use super::draft::{Draft, Drawing, set};
use crate::chaos::ledger::Plan;

/// A random graph: each step names some of the earlier ones.
pub fn graph(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = Draft::graph();
    for number in 0..drawing.rng.usize(3..9) {
        let id = format!("n{number}");
        let (mut written, mut step) = if drawing.rng.bool() {
            drawing.hello(&id, "${ input.key }")
        } else {
            let plan = drawing.plan();
            drawing.effect(&id, plan)
        };
        let earlier = draft.ids();
        step.needs = drawing.rng.choose_multiple(earlier, number.min(2));
        step.needs.truncate(drawing.rng.usize(..3));
        set(&mut written, "depends_on", step.needs.clone());
        draft.push((written, step));
    }
    // The output is computed once all of them have ended, whatever the order was.
    let template: Vec<Value> =
        draft.ids().iter().map(|id| json!(format!("${{ has(steps.{id}.output) }}"))).collect();
    draft.output = Some((json!(template), json!(vec![true; template.len()])));
    draft
}

/// One effect for each element of a list.
pub fn fan_out(drawing: &mut Drawing<'_>) -> Draft {
    let mut draft = fan(drawing, None);
    draft.push(drawing.effect("last", Plan::Done));
    draft.output = Some((json!("${ size(steps.fan.output) }"), json!(draft.elements("fan"))));
    draft
}

/// A greeting, then the elements; `undo` is the label of what undoes one.
pub fn fan(drawing: &mut Drawing<'_>, undo: Option<&str>) -> Draft {
    let mut draft = Draft::sequential();
    draft.push(drawing.hello("first", "${ input.key }"));
    let count = drawing.rng.u32(..12);
    let plan = drawing.plan();
    let (mut written, mut step) = drawing.effect("fan", plan);
    let call = drawing.call(plan, "fan.${ item }");
    set(&mut written, "url", call.get("url").cloned().unwrap_or_default());
    let list: Vec<String> = (0..count).map(|element| element.to_string()).collect();
    let list = format!("[{}]", list.join(", "));
    let parallel = drawing.rng.u32(1..5);
    set(&mut written, "for_each", json!({ "in": list, "as": "item", "max_parallel": parallel }));
    step.elements = Some(count);
    if let Some(label) = undo {
        let plan = drawing.plan();
        set(&mut written, "compensate", Value::Object(drawing.call(plan, label)));
        step.undo = true;
    }
    draft.push((written, step));
    draft
}
