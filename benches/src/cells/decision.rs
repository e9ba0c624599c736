//! Which strategy the plan takes, and why not the others.

use super::figures::Figures;
use super::placement::Strategy;

/// Part of all cell-hours in which a cell may be over its capacity: one in a thousand. Beyond it, tenants wait for each
/// other as a matter of course.
const OVER_MAX: f64 = 0.001;

/// A strategy with what came out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    pub strategy: Strategy,
    pub figures: Figures,
}

/// The one that is taken, and a reason against each of the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub taken: &'static str,
    pub against: Vec<(&'static str, String)>,
}

/// First, a new cell must not move more tenants at once than a day's budget: each move is a pause. Second, hardly any
/// cell is ever over its capacity. Of those that are left, the one with the fewest tenants in the cell that died, and then
/// with the fewest moves. None: no strategy can be taken.
pub fn decide(tried: &[Tried], moves_a_day_max: u32) -> Option<Decision> {
    let possible = tried.iter().filter(|one| excluded(&one.figures, moves_a_day_max).is_none());
    let taken = possible.min_by_key(|one| (one.figures.dead_tenants, one.figures.moved_within_budget))?;
    let others = tried.iter().filter(|one| one.strategy != taken.strategy);
    let reason = |one: &Tried| excluded(&one.figures, moves_a_day_max).unwrap_or_else(|| worse(one, taken));
    Some(Decision {
        taken: taken.strategy.name,
        against: others.map(|one| (one.strategy.name, reason(one))).collect(),
    })
}

fn excluded(figures: &Figures, moves_a_day_max: u32) -> Option<String> {
    if figures.moved_at_once > moves_a_day_max as usize {
        let moved = figures.moved_at_once;
        return Some(format!("a new cell moves {moved} tenants at once; a day may move {moves_a_day_max}"));
    }
    let (over, most) = (figures.part_over() * 1_000.0, OVER_MAX * 1_000.0);
    (over > most).then(|| format!("{over:.1} of 1000 cell-hours are over capacity; {most} may be"))
}

fn worse(one: &Tried, taken: &Tried) -> String {
    let (its, best) = (one.figures.dead_tenants, taken.figures.dead_tenants);
    if its > best {
        return format!("{its} tenants are down with the dead cell instead of {best}");
    }
    format!("{} moves instead of {}", one.figures.moved_within_budget, taken.figures.moved_within_budget)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(figures: &[(usize, usize, usize, usize)]) -> Option<Decision> {
        let tried = |(strategy, figures): (Strategy, &(usize, usize, usize, usize))| {
            let (moved_at_once, hours_over, dead_tenants, moved_within_budget) = *figures;
            let utilisations = vec![0.5; 2_000];
            let figures = Figures {
                utilisations,
                moved_at_once,
                hours_over,
                dead_tenants,
                moved_within_budget,
                ..Figures::default()
            };
            Tried { strategy, figures }
        };
        decide(&Strategy::ALL.into_iter().zip(figures).map(tried).collect::<Vec<_>>(), 20)
    }

    #[test]
    fn who_moves_too_many_at_once_is_out_and_who_is_over_capacity_too_often_is_out() {
        let decision = check(&[(21, 0, 1, 0), (20, 2, 9, 0), (0, 3, 1, 0)]).unwrap();
        assert_eq!(decision.taken, "rendezvous");
        let reasons = [
            ("hash modulo", "a new cell moves 21 tenants at once; a day may move 20".to_owned()),
            ("two choices", "1.5 of 1000 cell-hours are over capacity; 1 may be".to_owned()),
        ];
        assert_eq!(decision.against, reasons);
        assert_eq!(check(&[(21, 0, 1, 0), (0, 3, 1, 0)]), None);
    }

    #[test]
    fn of_the_others_the_smallest_loss_is_taken_and_then_the_fewest_moves() {
        let decision = check(&[(0, 0, 5, 0), (0, 2, 4, 9)]).unwrap();
        assert_eq!(decision.taken, "rendezvous");
        let reason = "5 tenants are down with the dead cell instead of 4".to_owned();
        assert_eq!(decision.against, [("hash modulo", reason)]);
        let decision = check(&[(0, 0, 4, 9), (0, 0, 4, 8)]).unwrap();
        assert_eq!(decision.against, [("hash modulo", "9 moves instead of 8".to_owned())]);
    }
}
