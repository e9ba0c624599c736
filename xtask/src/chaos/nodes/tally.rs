//! What happened to the nodes of a run, in numbers.

use serde::Serialize;

use super::super::report::percentile;
use super::build::Build;
use super::plan::What;

/// What the faults of a run with several nodes really were, beside those that a single host has too.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Tally {
    pub nodes: usize,
    /// Processes that were started.
    pub processes: u32,
    /// Those of the older build. None: there is one build.
    pub older: Option<u32>,
    /// SIGSTOP past the lease.
    pub pauses: u32,
    pub delays: u32,
    pub holds: u32,
    pub cuts: u32,
    /// Connections that died without a word, of times that they did.
    pub connections_forgotten: u32,
    pub half_open: u32,
    /// Connections that the database ended, of times that it did.
    pub disconnections: u32,
    pub disconnects: u32,
    pub database_restarts: u32,
    pub database_crashes: u32,
    /// Nodes whose `/readyz` said that the database was away, while it was.
    pub outages_noticed: u32,
    /// Starts that ended because the database could not be reached.
    pub starts_without_database: u32,
    /// Events that found no node to happen to.
    pub skipped: u32,
    /// Rows of the journal.
    pub commits: usize,
    /// Commits under an old epoch, which were refused: the hosts' logs.
    pub refused_commits: usize,
    /// Executions that went on under another owner.
    pub handovers: usize,
    /// Those from the older build to this one, and back.
    pub handovers_forward: usize,
    pub handovers_back: usize,
    pub take_overs: Vec<TakeOver>,
    pub happened: Vec<Happened>,
}

/// An end of the names of processes of the older build.
pub const OLDER: &str = "-older";

/// That an execution went on in another process, and when, in milliseconds since 1970.
#[derive(Debug, Clone)]
pub struct Handover {
    pub from: String,
    pub to: String,
    pub at_ms: i64,
}

/// That somebody went on with what a process had.
#[derive(Debug, Clone, Serialize)]
pub struct TakeOver {
    #[serde(flatten)]
    pub lost: Lost,
    /// From the loss to the first commit under another owner, in milliseconds.
    pub took_ms: u64,
}

/// Why others took over from a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    Killed,
    Ended,
    Paused,
}

/// A process that others had to take over from, and when, in milliseconds since 1970.
#[derive(Debug, Clone, Serialize)]
pub struct Lost {
    pub writer: String,
    pub loss: Loss,
    pub at_ms: i64,
    /// When it went on, so that nobody had to take over any more; none: it never did.
    pub until_ms: Option<i64>,
}

/// An event of the plan that came about.
#[derive(Debug, Clone, Serialize)]
pub struct Happened {
    pub at_ms: i64,
    /// None: to the database.
    pub node: Option<usize>,
    pub what: What,
}

impl Tally {
    pub fn note_process(&mut self, build: Build) {
        self.processes += 1;
        if let Some(older) = &mut self.older {
            *older += u32::from(build == Build::Older);
        }
    }

    /// Times from each loss to the next time that somebody went on with what the process had.
    pub fn note_take_overs(&mut self, lost: &[Lost], handovers: &[Handover]) {
        self.handovers = handovers.len();
        let are_older = |one: &Handover| (one.from.ends_with(OLDER), one.to.ends_with(OLDER));
        let count = |way| handovers.iter().filter(|one| are_older(one) == way).count();
        (self.handovers_forward, self.handovers_back) = (count((true, false)), count((false, true)));
        for lost in lost {
            let until_ms = lost.until_ms.unwrap_or(i64::MAX);
            let meanwhile = lost.at_ms..until_ms;
            let is_next = |one: &&Handover| one.from == lost.writer && meanwhile.contains(&one.at_ms);
            let later = handovers.iter().filter(is_next);
            let Some(first) = later.map(|one| one.at_ms - lost.at_ms).min() else { continue };
            self.take_overs.push(TakeOver { lost: lost.clone(), took_ms: first.unsigned_abs() });
        }
    }

    fn took_ms(&self, loss: Loss) -> Vec<u64> {
        let of_kind = self.take_overs.iter().filter(|take_over| take_over.lost.loss == loss);
        of_kind.map(|take_over| take_over.took_ms).collect()
    }

    /// Rows of the table.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let times = |times: &[u64]| {
            let [p50, p90, p99] = [50, 90, 99].map(|percent| percentile(times, percent));
            format!("{} (p50 {p50} ms, p90 {p90} ms, p99 {p99} ms)", times.len())
        };
        let database = format!(
            "{} restarts, {} crashes, noticed by {} nodes, {} starts without it",
            self.database_restarts, self.database_crashes, self.outages_noticed, self.starts_without_database
        );
        let network = format!(
            "{} slow, {} held, {} cut, {} connections ended in {} times, {} died without a word in {}",
            self.delays,
            self.holds,
            self.cuts,
            self.disconnections,
            self.disconnects,
            self.connections_forgotten,
            self.half_open
        );
        let take_overs = format!(
            "{} after SIGKILL, {} after SIGTERM, {} after SIGSTOP",
            times(&self.took_ms(Loss::Killed)),
            times(&self.took_ms(Loss::Ended)),
            times(&self.took_ms(Loss::Paused))
        );
        let epochs = format!(
            "{} commits refused, {} of {} in the journal went on under another owner",
            self.refused_commits, self.handovers, self.commits
        );
        let mut rows = vec![(
            "nodes",
            format!("{}, {} processes, {} events skipped", self.nodes, self.processes, self.skipped),
        )];
        if let Some(older) = self.older {
            let told = format!(
                "{older} processes of the older one, {} of this one; {} executions went on from older to this, {} back",
                self.processes - older,
                self.handovers_forward,
                self.handovers_back
            );
            rows.push(("builds", told));
        }
        rows.extend([
            ("paused zombies", self.pauses.to_string()),
            ("database", database),
            ("network", network),
            ("take-overs", take_overs),
            ("old epochs", epochs),
        ]);
        rows
    }

    /// What a run of minutes must have met, and whether it did.
    pub fn traces(&self) -> Vec<(bool, &'static str)> {
        let one_build = self.older.is_none();
        vec![
            (one_build || self.handovers_forward > 0, "nothing went on from the older build to this one"),
            (one_build || self.handovers_back > 0, "nothing went on from this build to the older one"),
            (self.pauses > 0, "no node was paused past its lease"),
            (self.database_restarts + self.database_crashes > 0, "the database was never away"),
            (self.outages_noticed > 0, "no node noticed that the database was away"),
            (self.delays + self.holds + self.cuts > 0, "the network was never bad"),
            (self.connections_forgotten > 0, "no connection died without a word"),
            (!self.took_ms(Loss::Killed).is_empty(), "nobody took over after a SIGKILL"),
            (!self.took_ms(Loss::Paused).is_empty(), "nobody took over from a paused node"),
            (self.refused_commits > 0, "no commit under an old epoch was tried"),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_take_over_is_the_first_commit_after_the_loss() {
        let lost = |writer: &str, loss, at_ms| {
            let until_ms = (loss == Loss::Paused).then_some(at_ms + 40);
            Lost { writer: writer.to_owned(), loss, at_ms, until_ms }
        };
        let handover = |from: &str, at_ms| Handover { from: from.to_owned(), to: "n9.1".to_owned(), at_ms };
        let lost = [
            lost("n1.1", Loss::Paused, 50),
            lost("n1.1", Loss::Paused, 100),
            lost("n1.1", Loss::Killed, 500),
            lost("n2.1", Loss::Ended, 7),
        ];
        let handovers = [handover("n1.1", 130), handover("n1.1", 120), handover("n1.1", 540)];
        let mut tally = Tally::default();
        tally.note_take_overs(&lost, &handovers);
        let times = [Loss::Paused, Loss::Killed, Loss::Ended].map(|loss| tally.took_ms(loss));
        assert_eq!((times, tally.handovers), ([vec![20], vec![40], vec![]], 3));
    }

    #[test]
    fn what_goes_on_in_the_other_build_is_counted_for_both_ways() {
        let one = |from: &str, to: &str| Handover { from: from.to_owned(), to: to.to_owned(), at_ms: 0 };
        let handovers = [
            one("n1.1-older", "n2.4"),
            one("n1.1-older", "n2.1-older"),
            one("n2.4", "n1.2-older"),
            one("n3.1-older", "n2.4"),
        ];
        let mut tally = Tally { older: Some(0), ..Tally::default() };
        tally.note_take_overs(&[], &handovers);
        assert_eq!((tally.handovers_forward, tally.handovers_back), (2, 1));
        for build in [Build::Older, Build::This, Build::Older] {
            tally.note_process(build);
        }
        assert_eq!((tally.processes, tally.older), (3, Some(2)));
    }
}
