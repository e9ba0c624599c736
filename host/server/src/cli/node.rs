//! `quantum node …`

use clap::Subcommand;

use super::Context;
use super::client::Client;
use super::error::CliError;

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// List the processes that work on the host's store
    List,
}

impl NodeCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let Self::List = self;
        let answer = Client::platform(context)?.get("/api/v1/nodes").await?;
        let columns = [
            ("NODE", "name"),
            ("STATUS", "status"),
            ("OPEN", "open_executions"),
            ("VERSION", "version"),
            ("STARTED", "started_at"),
            ("ID", "id"),
        ];
        Ok(context.output.list(&answer.body, &columns)?)
    }
}
