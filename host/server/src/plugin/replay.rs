//! `quantum plugin replay`: an attempt that a host recorded, made again here, by the component as it is now and without
//! anything of the outside.

use std::io::Write;
use std::path::{Path, PathBuf};

use quantum_core::port::AttemptOutcome;
use quantum_core::recording::{Ended as EndedAs, Recording};
use serde_json::Value;

use super::call::{Call, Called};
use super::case::RECORDING;
use super::error::Error;
use super::network::Network;
use super::packed::Packed;
use super::report::failure_document;
use super::run::{Ended, tell, tell_line};

#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Exit codes: as of quantum plugin run, for how the attempt ends now. 1 when the component does something \
else than what was recorded, 3 when the host refuses the recording, 4 when there is none."
)]
pub struct ReplayArgs {
    /// execution_id
    #[arg(required_unless_present = "recording", requires = "step")]
    pub execution: Option<String>,
    /// The step
    pub step: Option<String>,
    /// Number of the attempt [default: the one that was recorded last]
    #[arg(long)]
    pub attempt: Option<u32>,
    /// Of a step with for_each: the position in its list
    #[arg(long)]
    pub element: Option<u32>,
    /// Of the step's compensation
    #[arg(long)]
    pub compensation: bool,
    /// The recording in a file, without asking a host
    #[arg(long, value_name = "FILE", conflicts_with_all = ["execution", "step", "attempt", "element", "compensation"])]
    pub recording: Option<PathBuf>,
    /// Folder of a plugin, which is built first, or a packed plugin
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub component: PathBuf,
    /// Write the recording and how the attempt ends now into this folder, as a case for quantum plugin test
    #[arg(long, value_name = "DIR")]
    pub save_case: Option<PathBuf>,
}

/// Makes the attempt again. `err` takes logs, the bill, and whether it is as it was recorded.
pub async fn replay(
    args: &ReplayArgs,
    recording: &[u8],
    out: &mut (dyn Write + Send),
    err: &mut (dyn Write + Send),
) -> Result<Ended, Error> {
    let read = Recording::read(recording).map_err(Error::Recording)?;
    let packed = Packed::open(&args.component, &Network::default(), err).await?;
    packed.bench.follow(tell_line);
    let recorded = read.ended.clone();
    let replayed = Call::again(&read).replay(&packed, read).await;
    let called = replayed.map_err(|reason| Error::Call { reason })?.map_err(Error::Differs)?;
    // Nothing would allow more: nothing of the outside is asked.
    let ended = tell(&called, out, err)?;
    let now = EndedAs::of(&called.report.outcome);
    if now.is_same_as(&recorded) {
        writeln!(err, "it ended as recorded: {}", recorded.shown())?;
    } else {
        writeln!(
            err,
            "it ended otherwise than recorded: recorded {}; now {}",
            recorded.shown(),
            now.shown()
        )?;
    }
    if let Some(folder) = &args.save_case {
        save(folder, recording, &called)?;
        writeln!(err, "the case is in {}; run it with: quantum plugin test", folder.display())?;
    }
    Ok(ended)
}

/// Nothing that is there is overwritten.
fn save(folder: &Path, recording: &[u8], called: &Called) -> Result<(), Error> {
    std::fs::create_dir_all(folder).map_err(Error::file(folder))?;
    let (name, expected) = match &called.report.outcome {
        AttemptOutcome::Completed(value) => ("output.json", value.clone()),
        outcome => ("error.json", named(failure_document(outcome))),
    };
    write_new(&folder.join(RECORDING), recording)?;
    write_new(&folder.join(name), format!("{expected:#}\n").as_bytes())
}

/// Of a failure what the next build says too: no backtrace.
fn named(mut failure: Value) -> Value {
    if let Some(fields) = failure.as_object_mut() {
        fields.remove("details");
    }
    failure
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let exists = |error: &std::io::Error| error.kind() == std::io::ErrorKind::AlreadyExists;
    let mut file = std::fs::File::create_new(path).map_err(|error| match path.parent() {
        Some(folder) if exists(&error) => Error::CaseExists { path: folder.to_owned() },
        _ => Error::file(path)(error),
    })?;
    file.write_all(bytes).map_err(Error::file(path))
}
