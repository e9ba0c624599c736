//! `quantum token …`: works on the key of a local data folder, without a host.

use std::io::{self, Write};

use clap::Subcommand;

use super::DataDir;
use super::error::CliError;
use super::local::{self, TokenRequest};

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Print a bearer token
    Create {
        /// Tenant that the token acts in; leave it out for a platform administrator
        #[arg(long)]
        tenant: Option<String>,
        /// Id of the person or service account
        #[arg(long)]
        user: String,
        /// viewer, author, operator, publisher, admin or sre; may be repeated. platformAdmin, without a tenant, creates
        /// tenants
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// A service account instead of a person
        #[arg(long)]
        service_account: bool,
        /// Seconds until the token expires, at most 86400
        #[arg(long, default_value_t = 3_600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
        expires_in: u32,
        #[command(flatten)]
        data_dir: DataDir,
    },
}

impl TokenCommand {
    pub fn run(self) -> Result<(), CliError> {
        let Self::Create { tenant, user, roles, service_account, expires_in, data_dir } = self;
        if tenant.is_none() && roles != ["platformAdmin"] {
            return Err(CliError::Usage("name the tenant with --tenant; only platformAdmin has none".into()));
        }
        let request = TokenRequest { tenant, user, roles, service_account, expires_in_s: expires_in };
        let token = local::token(&data_dir.path(), &request)?;
        Ok(writeln!(io::stdout(), "{token}")?)
    }
}
