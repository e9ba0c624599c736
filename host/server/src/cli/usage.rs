//! `quantum usage`: what the tenant's attempts used, or those of each tenant.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::Context;
use super::client::Client;
use super::error::CliError;
use super::output::Column;

#[derive(Debug, Args)]
pub(crate) struct UsageOptions {
    /// First day, in UTC [default: 29 days before the last one]
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<String>,
    /// Last day [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<String>,
    /// Of one plugin alone
    #[arg(long, value_name = "NAMESPACE:NAME")]
    plugin: Option<String>,
    /// What each line is the sum of; tenant: of all tenants, for administrators of the host
    #[arg(long, default_value = "day", value_name = "GROUP")]
    by: Group,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Group {
    Day,
    Plugin,
    Action,
    Tenant,
}

const SUMS: [Column; 8] = [
    ("ATTEMPTS", "attempts"),
    ("FAILED", "failures"),
    ("CPU MS", "cpu_ms"),
    ("PEAK MIB", "peak_mib"),
    ("MIB SECONDS", "mib_seconds"),
    ("CALLS", "host_calls"),
    ("SENT", "sent_bytes"),
    ("RECEIVED", "received_bytes"),
];

impl Group {
    /// Within a tenant. None: over all tenants.
    const fn word(self) -> Option<&'static str> {
        match self {
            Self::Day => Some("day"),
            Self::Plugin => Some("plugin"),
            Self::Action => Some("action"),
            Self::Tenant => None,
        }
    }

    const fn keys(self) -> &'static [Column] {
        match self {
            Self::Day => &[("DAY", "day")],
            Self::Plugin => &[("PLUGIN", "plugin")],
            Self::Action => &[("PLUGIN", "plugin"), ("VERSION", "version"), ("ACTION", "action")],
            Self::Tenant => &[("TENANT", "tenant_id")],
        }
    }
}

impl UsageOptions {
    pub async fn run(self, context: &Context) -> Result<(), CliError> {
        let client = match self.by {
            Group::Tenant => Client::platform(context)?,
            _ => Client::in_tenant(context).await?,
        };
        let mut items = Vec::new();
        let mut token = None;
        loop {
            let mut page = client.get(&self.path(token.as_deref())).await?.body;
            items.extend(page["items"].as_array_mut().map(std::mem::take).unwrap_or_default());
            token = page["next_page_token"].as_str().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        if context.output == super::Output::Table {
            items.iter_mut().for_each(for_people);
        }
        let columns = [self.by.keys(), &SUMS].concat();
        Ok(context.output.list(&json!({ "items": items }), &columns)?)
    }

    fn path(&self, token: Option<&str>) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let mut path = "/api/v1/usage/tenants";
        if let Some(group) = self.by.word() {
            query.append_pair("group", group).append_pair("limit", "200");
            path = "/api/v1/usage";
        }
        let given = [("from", &self.from), ("to", &self.to), ("plugin", &self.plugin)];
        for (name, value) in given {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        if let Some(token) = token {
            query.append_pair("page_token", token);
        }
        format!("{path}?{}", query.finish())
    }
}

/// Numbers of a size that is read at a glance, rounded up: what was used is never shown as nothing.
fn for_people(item: &mut Value) {
    const MIB: u64 = 1024 * 1024;
    for (shown, key, unit) in [
        ("cpu_ms", "cpu_us", 1_000),
        ("peak_mib", "memory_bytes_peak", MIB),
        ("mib_seconds", "memory_byte_seconds", MIB),
    ] {
        let value = item[key].as_u64().unwrap_or(0);
        item[shown] = value.div_ceil(unit).into();
    }
}
