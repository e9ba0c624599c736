//! Scripts of the machine: an intent, the commands of its execution, and below each turn what happened.
//!
//! ```text
//! order graph                         the definition: order, timeout, input JSON, output JSON, and a line per step:
//! step b after a uses once timeout 5s retry {"max_attempts":2} keys {"when":"true"} with {"x":"${ input.x }"}
//! dry-run                             the execution is one
//! @10 settle a 1 ok {"x":1}; admit b  one turn, 10 ms after the start: commands separated by `; `
//! @20 admit a.3; settle undo:a 1 ok 1 an element of a step; what undoes a step
//! | 4 step_completed …                an event    | -> run …  an effect    | !! …  a refused command
//! | = running: …                      the state after the turn
//! ---                                 another intent follows
//! ```

mod player;
mod reader;
mod words;

pub use words::{child, decision, person};

use player::Player;
use reader::Intent;

/// Plays a script; the lines of expectation are made again.
pub fn render(lines: &[&str]) -> String {
    lines.split(|line| *line == "---").map(render_case).collect::<Vec<_>>().join("---\n")
}

fn render_case(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut intent = Intent::default();
    let mut player: Option<Player> = None;
    for line in lines {
        text.push_str(line);
        text.push('\n');
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if let Some(millis) = word.strip_prefix('@') {
            let player = player.get_or_insert_with(|| Player::new(&intent));
            for line in player.turn(millis.parse().unwrap(), rest) {
                text.push_str(&format!("| {}\n", line.trim_end()));
            }
        } else if !word.is_empty() && word != "#" {
            intent.read(word, rest);
        }
    }
    player.expect("a script has commands").check_fold();
    text
}
