//! Where a component faulted, as lines for people. The names are the component's own words: what they need not be read
//! for is left out, and they are cut.

use std::fmt::{self, Write};

use rustc_demangle::demangle;
use wasmtime::{FrameInfo, FrameSymbol, WasmBacktrace};

use crate::limits::{FRAME_BYTES_MAX, FRAMES_MAX};

/// A longer name is not read.
const MANGLED_BYTES_MAX: usize = 4 * FRAME_BYTES_MAX;
/// Stands where a line was cut.
const CUT: char = '…';

/// The functions, the innermost first, with files and lines where the component has them; no addresses.
pub(crate) fn lines(error: &wasmtime::Error) -> Vec<String> {
    let frames = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames);
    frames.into_iter().flatten().flat_map(of_frame).take(FRAMES_MAX).collect()
}

/// A function, and those that the compiler put into it.
fn of_frame(frame: &FrameInfo) -> Vec<String> {
    let inlined =
        |symbol: &FrameSymbol| symbol.name().map(|name| line(name, symbol.file().zip(symbol.line())));
    let inlined: Vec<_> = frame.symbols().iter().filter_map(inlined).collect();
    if inlined.is_empty() {
        vec![line(frame.func_name().unwrap_or("(a function without a name)"), None)]
    } else {
        inlined
    }
}

fn line(name: &str, place: Option<(&str, u32)>) -> String {
    let mut line = Line::default();
    // The error is that it is full.
    let _full = line.function(name).and_then(|()| match place {
        Some((file, number)) => write!(line, " at {file}:{number}"),
        None => Ok(()),
    });
    line.0
}

/// Takes what fits.
#[derive(Default)]
struct Line(String);

impl Line {
    fn function(&mut self, name: &str) -> fmt::Result {
        if name.len() > MANGLED_BYTES_MAX {
            self.write_str(name)
        } else {
            write!(self, "{:#}", demangle(name))
        }
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fitting = text.floor_char_boundary(FRAME_BYTES_MAX - self.0.len());
        self.0.push_str(text.get(..fitting).unwrap_or_default());
        if fitting == text.len() {
            return Ok(());
        }
        self.0.truncate(self.0.floor_char_boundary(FRAME_BYTES_MAX - CUT.len_utf8()));
        self.0.push(CUT);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_as_they_were_written() {
        for (name, told) in [
            ("run", "run"),
            ("_RNvNtCs9pv848UzQwQ_4core9panicking9panic_fmt", "core::panicking::panic_fmt"),
            ("_ZN11quantum_sdk6action3run17h34ff6a6a34bd5eabE", "quantum_sdk::action::run"),
            ("quantum:plugin/actions@1.0.0#run", "quantum:plugin/actions@1.0.0#run"),
        ] {
            assert_eq!(line(name, None), told);
        }
        assert_eq!(line("run", Some(("src/lib.rs", 7))), "run at src/lib.rs:7");
    }

    #[test]
    fn a_line_has_its_bytes_and_no_more() {
        let fits = "a".repeat(FRAME_BYTES_MAX);
        assert_eq!(line(&fits, None), fits);
        for (name, place) in [
            ("é".repeat(FRAME_BYTES_MAX), None),
            (format!("{fits}a"), None),
            (fits.clone(), Some(("b", 1))),
            ("run".to_owned(), Some((fits.as_str(), 1))),
        ] {
            let told = line(&name, place);
            assert!(told.ends_with(CUT) && told.len() <= FRAME_BYTES_MAX, "{told}");
        }
    }

    /// Each tuple holds the one before it twice: a million names in two hundred bytes.
    #[test]
    fn a_name_that_unfolds_without_end_is_cut() {
        let mut name = "_RINvC1a1b".to_owned();
        let mut before = "y".to_owned();
        for _ in 0..20 {
            let at = name.len() - "_R".len();
            name.push_str(&format!("T{before}{before}E"));
            before = format!("B{}_", base_62(at - 1));
        }
        name.push('E');
        let told = line(&name, None);
        assert!(
            told.starts_with("a::b::<(u64, u64), ((u64, u64), (u64, u64)), ") && told.ends_with(CUT),
            "{told}"
        );
    }

    fn base_62(number: usize) -> String {
        let digit = |number: usize| {
            char::from(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[number])
        };
        if number < 62 {
            digit(number).to_string()
        } else {
            format!("{}{}", base_62(number / 62), digit(number % 62))
        }
    }
}
