//! `quantum tenant …`

use clap::Subcommand;
use serde_json::json;

use super::Context;
use super::client::Client;
use super::error::CliError;

#[derive(Debug, Subcommand)]
pub(crate) enum TenantCommand {
    /// Create a tenant
    Create {
        /// 1 to 63 characters of a-z, 0-9 and -, starting with a letter
        id: String,
        /// Name for people
        #[arg(long)]
        name: Option<String>,
    },
    /// List tenants
    List,
}

impl TenantCommand {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let client = Client::platform(context)?;
        match self {
            Self::Create { id, name } => {
                let answer = client
                    .post("/api/v1/tenants", &json!({ "id": id, "name": name.unwrap_or_else(|| id.clone()) }))
                    .await?;
                Ok(context.output.line(&format!("created tenant {id}"), &answer.body)?)
            }
            Self::List => {
                let answer = client.get("/api/v1/tenants").await?;
                Ok(context
                    .output
                    .list(&answer.body, &[("TENANT", "id"), ("NAME", "name"), ("CREATED", "created_at")])?)
            }
        }
    }
}
