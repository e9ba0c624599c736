//! `quantum_fuzz::sections`, with bytes that a fuzzer chooses.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quantum_fuzz::sections(bytes));
