//! `quantum_fuzz::result`, with bytes that a fuzzer chooses.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| quantum_fuzz::result(bytes));
