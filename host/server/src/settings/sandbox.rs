//! `[sandbox]`: what attempts, compilers and the cache of compiled components may take of the machine.

use std::ops::RangeInclusive;

use quantum_core::limits::COMPONENT_BYTES_MAX;
use quantum_sandbox::{CompileLimits, SandboxOptions};
use serde::Deserialize;

use super::file::FileError;

const MIB: u64 = 1024 * 1024;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SandboxFile {
    pub attempts_max: Option<u64>,
    pub memory_bytes_default: Option<u64>,
    pub memory_bytes_ceiling: Option<u64>,
    pub cpu_ms_max: Option<u64>,
    pub component_bytes_max: Option<u64>,
    pub compiles_max: Option<u64>,
    pub compile_ms_max: Option<u64>,
    pub compile_cpu_ms_max: Option<u64>,
    pub compile_memory_bytes_max: Option<u64>,
    pub cache_bytes_max: Option<u64>,
}

/// The sandbox's options, without its folder, its key and its network; and the bounds of a compiler.
pub(super) fn sandbox(file: &SandboxFile) -> Result<(SandboxOptions, CompileLimits), FileError> {
    let (options, limits) = (SandboxOptions::default(), CompileLimits::default());
    let options = SandboxOptions {
        attempts_max: within("attempts_max", file.attempts_max, 1..=100_000, options.attempts_max)?,
        memory_bytes_default: within(
            "memory_bytes_default",
            file.memory_bytes_default,
            MIB..=4096 * MIB,
            options.memory_bytes_default,
        )?,
        memory_bytes_ceiling: within(
            "memory_bytes_ceiling",
            file.memory_bytes_ceiling,
            MIB..=4096 * MIB,
            options.memory_bytes_ceiling,
        )?,
        cpu_ms_max: within("cpu_ms_max", file.cpu_ms_max, 10..=86_400_000, options.cpu_ms_max)?,
        component_bytes_max: within(
            "component_bytes_max",
            file.component_bytes_max,
            1024..=COMPONENT_BYTES_MAX as u64,
            options.component_bytes_max,
        )?,
        compiles_max: within("compiles_max", file.compiles_max, 1..=64, options.compiles_max)?,
        cache_bytes_max: within(
            "cache_bytes_max",
            file.cache_bytes_max,
            0..=u64::MAX,
            options.cache_bytes_max,
        )?,
        ..options
    };
    if options.memory_bytes_default > options.memory_bytes_ceiling {
        let (default, ceiling) = (options.memory_bytes_default, options.memory_bytes_ceiling);
        return Err(FileError::SandboxMemory { default, ceiling });
    }
    Ok((options, compile_limits(file, limits)?))
}

fn compile_limits(file: &SandboxFile, limits: CompileLimits) -> Result<CompileLimits, FileError> {
    Ok(CompileLimits {
        // The API gives an upload 180 seconds, the compiler's included.
        ms_max: within("compile_ms_max", file.compile_ms_max, 1_000..=170_000, limits.ms_max)?,
        cpu_ms_max: within(
            "compile_cpu_ms_max",
            file.compile_cpu_ms_max,
            1_000..=3_600_000,
            limits.cpu_ms_max,
        )?,
        memory_bytes_max: within(
            "compile_memory_bytes_max",
            file.compile_memory_bytes_max,
            256 * MIB..=1024 * 1024 * MIB,
            limits.memory_bytes_max,
        )?,
        ..limits
    })
}

fn within<T: TryFrom<u64>>(
    key: &'static str,
    value: Option<u64>,
    range: RangeInclusive<u64>,
    default: T,
) -> Result<T, FileError> {
    let Some(value) = value else { return Ok(default) };
    let (min, max) = range.clone().into_inner();
    let fits = range.contains(&value).then(|| T::try_from(value).ok()).flatten();
    fits.ok_or(FileError::Sandbox { key, value, min, max })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SettingsFile;

    fn check(text: &str) -> Result<(SandboxOptions, CompileLimits), String> {
        let file = toml::from_str(&format!("[sandbox]\n{text}"));
        let file: SettingsFile = file.map_err(|error: toml::de::Error| error.to_string())?;
        sandbox(&file.sandbox).map_err(|error| crate::chain(&error))
    }

    #[test]
    fn each_key_sets_its_own_bound_and_the_rest_stays() {
        let (options, limits) = check("").unwrap();
        let default = SandboxOptions::default();
        assert_eq!((options.attempts_max, options.cpu_ms_max), (default.attempts_max, default.cpu_ms_max));
        assert_eq!(limits, CompileLimits::default());
        let (options, limits) = check(
            "attempts_max = 1\nmemory_bytes_default = 1048576\nmemory_bytes_ceiling = 2097152\ncpu_ms_max = 14\n\
             component_bytes_max = 1025\ncompiles_max = 6\ncompile_ms_max = 1007\ncompile_cpu_ms_max = 1008\n\
             compile_memory_bytes_max = 268435457\ncache_bytes_max = 0",
        )
        .unwrap();
        assert_eq!(options.attempts_max, 1);
        assert_eq!((options.memory_bytes_default, options.memory_bytes_ceiling), (MIB, 2 * MIB));
        assert_eq!((options.cpu_ms_max, options.component_bytes_max), (14, 1_025));
        assert_eq!((options.compiles_max, options.cache_bytes_max), (6, 0));
        assert_eq!((limits.ms_max, limits.cpu_ms_max), (1_007, 1_008));
        assert_eq!(limits.memory_bytes_max, 256 * MIB + 1);
    }

    #[test]
    fn what_cannot_be_is_refused_and_says_what_can() {
        for (text, told) in [
            ("compiles_max = 0", "use sandbox.compiles_max: 0 is not from 1 to 64"),
            (
                "component_bytes_max = 67108865",
                "use sandbox.component_bytes_max: 67108865 is not from 1024 to 67108864",
            ),
            (
                "memory_bytes_ceiling = 33554432",
                "use sandbox.memory_bytes_default: 67108864 is more than sandbox.memory_bytes_ceiling, which is 33554432; \
                 lower the one or raise the other",
            ),
        ] {
            assert_eq!(check(text).unwrap_err(), told);
        }
        let error = check("compile_s_max = 1").unwrap_err();
        assert!(error.contains("unknown field `compile_s_max`"), "{error}");
        assert!(check("compiles_max = -1").is_err());
    }
}
