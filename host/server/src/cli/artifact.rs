//! `quantum artifact …`

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::client::{Client, segment};
use super::error::CliError;
use super::output::{Column, cell};
use super::{Context, packed_folder};

/// What a folder is sent as.
const TAR: &str = "application/x-tar";
/// What everything else is, when nothing is said.
const BYTES: &str = "application/octet-stream";

const COLUMNS: &[Column] = &[
    ("NAME", "name"),
    ("BYTES", "size"),
    ("TYPE", "media_type"),
    ("DIGEST", "digest"),
    ("STORED", "created_at"),
];

#[derive(Debug, Subcommand)]
pub(crate) enum ArtifactCommand {
    /// Store a file, a folder (as a tar archive) or standard input under a name of the tenant
    Put {
        /// What steps call it, for example ./app
        name: String,
        /// A file, a folder, or - for standard input
        path: PathBuf,
        /// Media type [default: application/x-tar for a folder, else application/octet-stream]
        #[arg(long, value_name = "TYPE")]
        media_type: Option<String>,
    },
    /// List artifacts of the tenant, or of one execution
    List {
        #[arg(long, value_name = "ID")]
        execution: Option<String>,
        /// Only names that begin so
        #[arg(long)]
        prefix: Option<String>,
    },
    /// Write an artifact to standard output, or to a file
    Get {
        /// A name, or a digest
        reference: String,
        /// Look among the names of this execution first
        #[arg(long, value_name = "ID")]
        execution: Option<String>,
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Take a name of the tenant away; its bytes go once nothing names them
    Delete { name: String },
}

impl ArtifactCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let client = Client::in_tenant(context).await?;
        match self {
            Self::Put { name, path, media_type } => put(context, &client, &name, &path, media_type).await,
            Self::List { execution, prefix } => {
                let pairs = [("execution", execution), ("prefix", prefix)];
                let answer = client.get(&format!("/api/v1/artifacts{}", query(pairs))).await?;
                Ok(context.output.list(&answer.body, COLUMNS)?)
            }
            Self::Get { reference, execution, out } => {
                let path =
                    format!("/api/v1/artifacts/{}{}", segment(&reference), query([("execution", execution)]));
                get(&client, &path, out.as_deref()).await
            }
            Self::Delete { name } => {
                let answer = client.delete(&format!("/api/v1/artifacts/{}", segment(&name))).await?;
                Ok(context.output.line(&format!("{name} is not a name any more"), &answer.body)?)
            }
        }
    }
}

fn query<const N: usize>(pairs: [(&str, Option<String>); N]) -> String {
    let pairs = pairs.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", segment(&value?))));
    let query = pairs.collect::<Vec<_>>().join("&");
    if query.is_empty() { query } else { format!("?{query}") }
}

async fn put(
    context: &Context,
    client: &Client,
    name: &str,
    path: &Path,
    media_type: Option<String>,
) -> Result<(), CliError> {
    let (file, default) = open(path).map_err(|source| CliError::File { path: path.to_owned(), source })?;
    let media_type = media_type.unwrap_or_else(|| default.to_owned());
    let target = format!("/api/v1/artifacts?name={}", segment(name));
    let answer = client.upload(&target, &media_type, tokio::fs::File::from_std(file).into()).await?;
    let (size, digest) = (cell(&answer.body, "size"), cell(&answer.body, "digest"));
    Ok(context.output.line(&format!("stored {name}: {size} bytes, {digest}"), &answer.body)?)
}

/// What is sent, from its beginning, and what it is. Folders and standard input are gathered in a file first, so that
/// the host learns the length.
fn open(path: &Path) -> io::Result<(File, &'static str)> {
    if path == Path::new("-") {
        let mut gathered = tempfile::tempfile()?;
        io::copy(&mut io::stdin().lock(), &mut gathered)?;
        gathered.rewind()?;
        return Ok((gathered, BYTES));
    }
    if !path.is_dir() {
        return Ok((File::open(path)?, BYTES));
    }
    let mut packed = tempfile::tempfile()?;
    packed_folder::write(path, io::BufWriter::new(&packed))?;
    packed.rewind()?;
    Ok((packed, TAR))
}

async fn get(client: &Client, path: &str, out: Option<&Path>) -> Result<(), CliError> {
    let mut answer = client.download(path).await?;
    let failed = |path: &Path, source| CliError::File { path: path.to_owned(), source };
    let mut sink: Box<dyn Write> = match out {
        Some(file) => Box::new(File::create(file).map_err(|source| failed(file, source))?),
        None => Box::new(io::stdout().lock()),
    };
    while let Some(piece) =
        answer.chunk().await.map_err(|error| CliError::Answer { what: error.to_string() })?
    {
        sink.write_all(&piece)?;
    }
    Ok(sink.flush()?)
}
