//! What a process used, from `/proc`; machines without it have no figures.

/// Clock ticks a second in `/proc/PID/stat`: fixed by Linux' interface to programs, whatever the kernel's own rate.
const TICKS_PER_SECOND: f64 = 100.0;
/// `utime` and `stime` among the fields that follow the name.
const UTIME_FIELD: usize = 11;
const STIME_FIELD: usize = 12;

/// Seconds on a processor since its start, of all threads.
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    cpu_of(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The most memory that was resident at a time.
pub fn rss_bytes_peak(pid: u32) -> Option<u64> {
    bytes_of("VmHWM:", &std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// Memory that is resident now.
pub fn rss_bytes(pid: u32) -> Option<u64> {
    bytes_of("VmRSS:", &std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

/// The name may hold spaces and parentheses: what counts comes after the last one.
fn cpu_of(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some((ticks(UTIME_FIELD)? + ticks(STIME_FIELD)?) / TICKS_PER_SECOND)
}

fn bytes_of(name: &str, status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_whatever_the_name_is() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 900 0 0 0 150 50 0 0 20 0 9 0 100 1 2";
        assert_eq!(cpu_of(stat), Some(2.0));
        assert_eq!(cpu_of("nothing"), None);
    }

    #[test]
    fn memory_is_found_by_its_name_and_given_in_bytes() {
        let status = "VmPeak:\t 9 kB\nVmHWM:\t   2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(bytes_of("VmHWM:", status), Some(2 * 1024 * 1024));
        assert_eq!(bytes_of("VmRSS:", status), Some(1024));
        assert_eq!(bytes_of("VmSwap:", status), None);
    }
}
