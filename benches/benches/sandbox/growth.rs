//! Memory of the host after many attempts, over what it had after some.

use quantum_benches::process::rss_bytes;
use quantum_benches::report::Figure;

use crate::attempt::Runner;
use crate::component::Component;
use crate::options::Sizes;

const OF_BEFORE: f64 = 1.05;

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub fn measure(component: &Component, sizes: &Sizes) -> Vec<Figure> {
    let runner = Runner::new(component.bytes.clone());
    let memory_after = |attempts: u32| {
        drop(runner.run(attempts));
        rss_bytes(std::process::id()).expect("the system tells what a process uses") as f64
    };
    let before = memory_after(sizes.warm_up);
    let after = memory_after(sizes.attempts);
    let mebibytes = |bytes: f64| bytes / f64::from(1024 * 1024);
    vec![
        Figure::told(format!("memory after {} attempts", sizes.warm_up), "MiB", mebibytes(before)),
        Figure::bounded(
            format!("memory after {} more attempts, over that", sizes.attempts),
            "",
            after / before,
            OF_BEFORE,
        ),
    ]
}
