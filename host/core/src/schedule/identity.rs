//! What follows from a schedule and a due time alone, so that it is the same in every process: the execution's id, and
//! how much later it starts.

use uuid::Uuid;

use crate::id::{ExecutionId, ScheduleUid};
use crate::time::Timestamp;

/// Bits of a UUIDv7 behind its time: version, variant, and what tells it from others.
const OWN_BITS: u32 = 80;

/// The only id that an execution for this due time can have: the schedule's uid, with the due time in the place of the
/// time at which the uid was made. A second start has the same id, and the store refuses it.
pub fn execution_id(schedule: ScheduleUid, due: Timestamp) -> ExecutionId {
    let own = schedule.as_uuid().as_u128() & ((1 << OWN_BITS) - 1);
    let millis = u128::from(u64::try_from(due.as_millis()).unwrap_or(0));
    // The time has 48 bits: the year 10889.
    ExecutionId::from_uuid(Uuid::from_u128(millis << OWN_BITS | own))
}

/// Milliseconds from 0 to `max` that look drawn, and are the same whenever they are asked for.
pub(super) fn jitter_ms(schedule: ScheduleUid, due: Timestamp, max: u64) -> u64 {
    if max == 0 {
        return 0;
    }
    let (high, low) = schedule.as_uuid().as_u64_pair();
    let drawn = mix(high ^ mix(low ^ mix(due.as_millis().cast_unsigned())));
    drawn % (max + 1)
}

/// The finalizer of SplitMix64: each bit of the input changes half of the output's.
const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid() -> ScheduleUid {
        ScheduleUid::parse("0198c0de-0000-7abc-8def-0123456789ab").unwrap()
    }

    #[test]
    fn an_execution_is_named_after_its_schedule_and_its_due_time() {
        let due = Timestamp::parse("2026-11-23T10:00:00Z").unwrap();
        let id = execution_id(uid(), due);
        assert_eq!(id.as_uuid().get_version_num(), 7);
        assert_eq!(id.to_string().split_once("-7").unwrap().1, "abc-8def-0123456789ab");
        let (seconds, nanos) = id.as_uuid().get_timestamp().unwrap().to_unix();
        assert_eq!(seconds * 1_000 + u64::from(nanos) / 1_000_000, due.as_millis().unsigned_abs());
        assert_ne!(id, execution_id(uid(), due.plus_millis(60_000)));
    }

    #[test]
    fn jitter_stays_within_its_bound_and_is_spread_over_it() {
        let jitter =
            |minute: u64| jitter_ms(uid(), Timestamp::from_millis(0).plus_millis(minute * 60_000), 999);
        let drawn: Vec<u64> = (0..1_000).map(jitter).collect();
        assert!(drawn.iter().all(|millis| *millis <= 999));
        for quarter in 0..4 {
            let count = drawn.iter().filter(|millis| **millis / 250 == quarter).count();
            assert!((200..300).contains(&count), "{count} of 1000 in quarter {quarter}");
        }
        assert_eq!(jitter(7), jitter(7));
        assert_eq!(jitter_ms(uid(), Timestamp::from_millis(1), 0), 0);
    }
}
