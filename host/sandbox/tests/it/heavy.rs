//! Components that take more of the pool than others: further core modules behind those that they have.

/// The component, and behind it this core module, instantiated as often.
pub fn heavier(component: &[u8], module: &str, times: u32) -> Vec<u8> {
    let module = wat::parse_str(module).unwrap();
    let index = core_modules(component);
    let mut heavier = component.to_vec();
    section(&mut heavier, 1, &module);
    let mut instances = Vec::new();
    leb(&mut instances, times);
    for _ in 0..times {
        instances.push(0);
        leb(&mut instances, index);
        instances.push(0);
    }
    section(&mut heavier, 2, &instances);
    heavier
}

/// Sections of a component are an id, a length and so many bytes; each core module is one of id 1.
fn core_modules(component: &[u8]) -> u32 {
    let (mut at, mut count) = (8, 0);
    while at < component.len() {
        count += u32::from(component[at] == 1);
        at += 1;
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let byte = component[at];
            at += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        at += length;
    }
    count
}

fn section(bytes: &mut Vec<u8>, id: u8, payload: &[u8]) {
    bytes.push(id);
    leb(bytes, u32::try_from(payload.len()).unwrap());
    bytes.extend_from_slice(payload);
}

fn leb(bytes: &mut Vec<u8>, mut number: u32) {
    loop {
        let byte = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        bytes.push(if number == 0 { byte } else { byte | 0x80 });
        if number == 0 {
            return;
        }
    }
}
