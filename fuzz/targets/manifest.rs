//! `quantum_fuzz::manifest`, with bytes that a fuzzer chooses.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quantum_fuzz::manifest(bytes));
