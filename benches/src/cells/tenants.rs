//! Who the tenants are, and how much of a cell each of them needs in which hour. The seed decides, and nothing else.

use fastrand::Rng;

use super::chance::chance;
use super::setup::{HOURS_A_DAY, Setup};

/// Position in the list of tenants.
pub type Tenant = usize;

/// Work by the hour of a tenant's own day, in percent of nothing in particular: what counts is the shape.
const DAY: [u32; 24] = [
    55, 50, 48, 47, 48, 55, 70, 95, 125, 140, 145, 140, 130, 138, 142, 138, 125, 110, 95, 85, 78, 70, 65, 60,
];
/// Hours that days are ahead, and how many tenants of a hundred live there.
const ZONES: [(u32, u32); 3] = [(0, 60), (8, 25), (16, 15)];
/// The weight of the tenant at rank r is 1 / (r + this): Zipf's law with a blunt head, so that the largest of 10 000
/// needs a fiftieth of everything and not a tenth, which no cell could carry.
const BLUNT: f64 = 5.0;
/// An hour is between this and its mirror above 1 of what the day's curve says.
const QUIET_HOUR: f64 = 0.7;
/// Of a hundred tenants, those that sign up during the run.
const LATE_PERCENT: u64 = 10;

/// What does not change about a tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The mean of its day, in cells of the usual size.
    pub load: f64,
    /// Hours that its day is ahead.
    pub ahead: u32,
    /// The hour in which it signs up.
    pub arrives: u32,
    /// From 0, the largest.
    pub rank: usize,
}

/// In the order of their numbers, which says nothing about their size.
pub fn profiles(setup: &Setup) -> Vec<Profile> {
    let mut rng = chance(&[setup.seed]);
    let weight = |rank: usize| 1.0 / (rank as f64 + 1.0 + BLUNT);
    let all: f64 = (0..setup.tenants).map(weight).sum();
    let mut ranks: Vec<usize> = (0..setup.tenants).collect();
    rng.shuffle(&mut ranks);
    let profile = |rank: usize| Profile {
        load: weight(rank) / all * setup.load,
        ahead: zone(&mut rng),
        arrives: if rng.u64(..100) < LATE_PERCENT { rng.u32(1..setup.hours()) } else { 0 },
        rank,
    };
    ranks.into_iter().map(profile).collect()
}

fn zone(rng: &mut Rng) -> u32 {
    let mut left = rng.u32(..100);
    for (ahead, percent) in ZONES {
        if left < percent {
            return ahead;
        }
        left -= percent;
    }
    0
}

/// Of every tenant in every hour, in cells of the usual size: rows are hours. Nothing before it signs up.
pub fn loads(setup: &Setup, profiles: &[Profile]) -> Vec<Vec<f64>> {
    let grower = grower(setup, profiles);
    let mean = f64::from(DAY.iter().sum::<u32>()) / f64::from(HOURS_A_DAY);
    let row = |hour: u32| {
        // One sequence an hour, so that longer runs begin as shorter ones do.
        let mut rng = chance(&[setup.seed, u64::from(hour)]);
        let load = |(tenant, profile): (Tenant, &Profile)| {
            let wave = f64::from(of_day(hour + profile.ahead)) / mean;
            let noise = QUIET_HOUR + (1.0 - QUIET_HOUR) * 2.0 * rng.f64();
            let grown = Some(tenant) == grower && hour >= setup.events.grows_at;
            let factor = if grown { setup.events.growth } else { 1.0 };
            if hour < profile.arrives { 0.0 } else { profile.load * wave * noise * factor }
        };
        profiles.iter().enumerate().map(load).collect()
    };
    (0..setup.hours()).map(row).collect()
}

fn of_day(hour: u32) -> u32 {
    DAY.get((hour % HOURS_A_DAY) as usize).copied().unwrap_or_default()
}

/// The one that will grow: of those that are there from the start, the first at its rank or below.
pub fn grower(setup: &Setup, profiles: &[Profile]) -> Option<Tenant> {
    let there = profiles.iter().enumerate().filter(|(_, profile)| profile.arrives == 0);
    let small = there.filter(|(_, profile)| profile.rank >= setup.events.grower_rank);
    small.min_by_key(|(_, profile)| profile.rank).map(|(tenant, _)| tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_tenants_are_most_of_the_load_and_none_is_larger_than_a_cell() {
        let setup = Setup::default();
        let mut loads: Vec<f64> = profiles(&setup).iter().map(|profile| profile.load).collect();
        loads.sort_by(|a, b| b.total_cmp(a));
        let all: f64 = loads.iter().sum();
        assert!((all - setup.load).abs() < 1e-9, "{all}");
        let first: f64 = loads[..setup.tenants / 100].iter().sum();
        assert!((0.3..0.5).contains(&(first / all)), "{}", first / all);
        assert!(loads[0] < 0.25, "{}", loads[0]);
    }

    #[test]
    fn nobody_has_a_load_before_signing_up_and_one_in_ten_signs_up_late() {
        let setup = Setup { tenants: 1_000, ..Setup::default() };
        let profiles = profiles(&setup);
        let late = profiles.iter().filter(|profile| profile.arrives > 0).count();
        assert!((60..140).contains(&late), "{late}");
        for (hour, row) in loads(&setup, &profiles).iter().enumerate() {
            for (profile, load) in profiles.iter().zip(row) {
                assert_eq!(*load > 0.0, hour as u32 >= profile.arrives);
            }
        }
    }

    #[test]
    fn one_tenant_grows_and_the_others_do_not() {
        let setup = Setup { tenants: 1_000, ..Setup::default() };
        let profiles = profiles(&setup);
        let still =
            Setup { events: crate::cells::setup::Events { growth: 1.0, ..setup.events }, ..setup.clone() };
        let (grown, same) = (loads(&setup, &profiles), loads(&still, &profiles));
        let grower = grower(&setup, &profiles).unwrap();
        for (hour, (grown, same)) in grown.iter().zip(&same).enumerate() {
            for tenant in (0..setup.tenants).filter(|tenant| grown[*tenant] != same[*tenant]) {
                assert_eq!(tenant, grower);
                assert!(hour as u32 >= setup.events.grows_at);
            }
        }
        assert!(grown.last().unwrap()[grower] > 49.0 * same.last().unwrap()[grower]);
    }
}
