//! Any request, also with good signatures in odd places: the verdict is the one that a plain reading of the rules gives.
#![no_main]

#[path = "../checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(|data: &[u8]| checks::verify(data));
