//! A component made large with code that was compiled from Rust: its first module over and over.

/// Bytes before the first section: magic, version and layer.
const PREAMBLE: usize = 8;
const CORE_MODULE: u8 = 1;
/// Of one component; a parser takes 1 000.
const MODULES_MAX: usize = 900;

/// The component with unused copies of its module behind it, of this many bytes or a module more; less where the module is
/// tiny.
pub fn of(component: &[u8], bytes: usize) -> Vec<u8> {
    let module = first_module(component).expect("a component has a module");
    let copies = bytes.saturating_sub(component.len()).div_ceil(module.len()).min(MODULES_MAX);
    [component, &module.repeat(copies)].concat()
}

/// The whole section, its head included.
fn first_module(component: &[u8]) -> Option<&[u8]> {
    let mut at = PREAMBLE;
    loop {
        let (length, head) = length(component.get(at + 1..)?)?;
        let end = at + 1 + head + length;
        if component[at] == CORE_MODULE {
            return component.get(at..end);
        }
        at = end;
    }
}

/// A LEB128 number, and the bytes that it takes.
fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}
