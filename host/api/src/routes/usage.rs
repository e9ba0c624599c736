//! What attempts used, added up: those of the tenant, and those of all tenants for who operates the host.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use quantum_core::usage::Day;
use quantum_core::vocabulary::Operation;
use quantum_store::{UsageFilter, UsageGroup};

use crate::auth::Session;
use crate::authorize::Subject;
use crate::extract::{Parameters, Platform};
use crate::page::{List, link};
use crate::problem::Problem;
use crate::routes::BASE;
use crate::state::Api;
use crate::wire::{UsageBody, UsagePage};

/// Days that are added up when `from` is not given, today included.
const DAYS_DEFAULT: u32 = 30;

/// What the tenant's attempts used, added up by day, plugin or action. An attempt is in it once its end is in the log of
/// its execution.
#[utoipa::path(
    get, path = "/usage", tag = "tenants",
    params(
        ("from" = Option<String>, Query, description = "The first day, in UTC; 29 days before the last one when not given", example = "2026-03-01"),
        ("to" = Option<String>, Query, description = "The last day; today when not given", example = "2026-03-31"),
        ("plugin" = Option<String>, Query, description = "Of this plugin alone", example = "quantum:http"),
        ("group" = Option<String>, Query, description = "day (newest first), plugin, or action; day when not given"),
        ("limit" = Option<u32>, Query, description = "Items of a page, 1 to 200; 50 when not given"),
        ("page_token" = Option<String>, Query, description = "next_page_token of the page before")
    ),
    responses((status = 200, body = UsagePage, description = "Sums; days, plugins and actions without attempts are left out"))
)]
pub(crate) async fn list_usage(
    State(api): State<Api>,
    session: Session,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["from", "to", "plugin", "group", "limit", "page_token"], &[])?;
    api.authorize(&session, Operation::UsageView, Subject::Tenant)?;
    let filter = filter(&parameters, Day::of(session.now()))?;
    let paging = api.pages.read(&session, "usage", &parameters)?;
    let page = api.services.catalog.usage(&session.scope).list(&filter, paging.request()).await?;
    let next_page_token = page.next.map(|place| api.pages.seal(&paging, &place));
    let items: Vec<UsageBody> = page.items.into_iter().map(Into::into).collect();
    let headers = link(&format!("{BASE}/usage"), &parameters, next_page_token.as_deref());
    Ok((headers, axum::Json(List { items, next_page_token })).into_response())
}

/// What the attempts of each tenant used, by tenant. For administrators of the host, who see sums alone: not what a
/// tenant's plugins and actions are.
#[utoipa::path(
    get, path = "/usage/tenants", tag = "tenants",
    params(
        ("from" = Option<String>, Query, description = "The first day, in UTC; 29 days before the last one when not given", example = "2026-03-01"),
        ("to" = Option<String>, Query, description = "The last day; today when not given", example = "2026-03-31"),
        ("plugin" = Option<String>, Query, description = "Of this plugin alone", example = "quantum:http")
    ),
    responses((status = 200, body = UsagePage, description = "One sum a tenant, all of them; tenants without attempts are left out"))
)]
pub(crate) async fn list_usage_of_tenants(
    State(api): State<Api>,
    platform: Platform,
    parameters: Parameters,
) -> Result<Response, Problem> {
    parameters.check(&["from", "to", "plugin"], &[])?;
    let (from, to) = days(&parameters, Day::of(platform.context.now))?;
    let rows = api.services.catalog.tenants().usage(from, to, parameters.text("plugin")).await?;
    let items = rows.into_iter().map(Into::into).collect();
    Ok(axum::Json(UsagePage { items, next_page_token: None }).into_response())
}

fn filter(parameters: &Parameters, today: Day) -> Result<UsageFilter, Problem> {
    let (from, to) = days(parameters, today)?;
    let by = parameters.read("group", "day, plugin or action", |text| match text {
        "day" => Some(UsageGroup::Day),
        "plugin" => Some(UsageGroup::Plugin),
        "action" => Some(UsageGroup::Action),
        _ => None,
    })?;
    let plugin = parameters.text("plugin").map(str::to_owned);
    Ok(UsageFilter { from, to, plugin, by: by.unwrap_or(UsageGroup::Day) })
}

/// The first and the last one.
fn days(parameters: &Parameters, today: Day) -> Result<(Day, Day), Problem> {
    let day = |name: &str| parameters.read(name, "a day such as 2026-03-31", |text| text.parse().ok());
    let to: Day = day("to")?.unwrap_or(today);
    Ok((day("from")?.unwrap_or(to.minus_days(DAYS_DEFAULT - 1)), to))
}
