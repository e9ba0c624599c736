//! Contexts: the circumstances that a policy can look at.

use std::net::IpAddr;

use cedar_policy_core::ast::Value;
use quantum_core::port::HttpCall;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Group, Operation};

use crate::draft::Fields;
use crate::entity::plugin_uid;
use crate::facts::{Auth, Caller, Change, Context};
use crate::needs::Needs;
use crate::question::Unfit;
use crate::words::{WORDS, uid};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// The first day of Unix time was a Thursday.
const WEEKDAYS: [&str; 7] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];

/// For a person or a service account. What it holds depends on the operation, as the schema says.
pub(crate) fn of_caller<'n>(
    operation: Operation,
    caller: &Caller,
    context: &Context,
    needs: &'n Needs,
) -> Result<Fields<'n>, Unfit> {
    let mut fields = request(&caller.auth, context, needs)?;
    match operation {
        Operation::IntentCreate => {
            let environment = context.environment.ok_or(Unfit::Missing { operation, fact: "environment" })?;
            fields.set("environment", || WORDS.environment(environment));
        }
        Operation::PluginInstall | Operation::PluginUninstall => {
            let plugin = context.plugin.as_ref().ok_or(Unfit::Missing { operation, fact: "plugin" })?;
            fields.set("plugin", || plugin_uid(&plugin.id));
        }
        _ if operation.group() == Group::Operate => change(&context.change, &mut fields),
        _ => {}
    }
    Ok(fields)
}

/// For the start of a step.
pub(crate) fn of_step(attempt: u32, now: Timestamp, needs: &Needs) -> Result<Fields<'_>, Unfit> {
    let mut fields = Fields::new(needs);
    fields.parse("now", &WORDS.datetime, || now.to_string())?;
    fields.set("attempt", || i64::from(attempt));
    Ok(fields)
}

/// For one outgoing request.
pub(crate) fn of_call<'n>(
    call: &HttpCall<'_>,
    now: Timestamp,
    needs: &'n Needs,
) -> Result<Fields<'n>, Unfit> {
    let mut fields = of_step(call.attempt, now, needs)?;
    fields.set("method", || call.method);
    fields.set("path", || call.path);
    Ok(fields)
}

fn request<'n>(auth: &Auth, context: &Context, needs: &'n Needs) -> Result<Fields<'n>, Unfit> {
    let (weekday, time_ms) = weekday_and_time(context.now);
    let mut fields = Fields::new(needs);
    fields.parse("now", &WORDS.datetime, || context.now.to_string())?;
    fields.set("weekday", || uid(&WORDS.weekday, weekday));
    fields.parse("localTime", &WORDS.duration, || format!("{time_ms}ms"))?;
    fields.set("auth", || authentication(auth));
    if let Some(ip) = context.ip {
        fields.parse("ip", &WORDS.ip, || address(ip))?;
    }
    Ok(fields)
}

fn authentication(auth: &Auth) -> Value {
    let age = i64::try_from(auth.age_seconds).unwrap_or(i64::MAX);
    let scopes = auth.scopes.iter().map(|scope| Value::from(scope.as_str()));
    let fields: [(&str, Value); 4] = [
        ("method", uid(&WORDS.auth_method, auth.method.as_str()).into()),
        ("mfa", auth.mfa.into()),
        ("ageSeconds", age.into()),
        ("scopes", Value::set(scopes, None)),
    ];
    Value::record(fields, None)
}

fn change(change: &Change, fields: &mut Fields<'_>) {
    fields.set("inChangeWindow", || change.in_change_window);
    fields.set("frozen", || change.frozen);
    fields.set("approvals", || i64::from(change.approvals));
    if let Some(ticket) = &change.ticket {
        fields.set("ticket", || ticket.as_str());
    }
}

/// In UTC: tenants have no time zone of their own yet.
fn weekday_and_time(now: Timestamp) -> (&'static str, i64) {
    let day = now.as_millis().div_euclid(DAY_MS).rem_euclid(7);
    let name = usize::try_from(day).ok().and_then(|day| WEEKDAYS.get(day)).copied();
    (name.unwrap_or("thu"), now.as_millis().rem_euclid(DAY_MS))
}

/// An IPv4 address in IPv6 clothes is the IPv4 address; other IPv6 is written in hex only, because Cedar reads no
/// dotted tail.
pub(crate) fn address(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => v6.segments().map(|part| format!("{part:x}")).join(":"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_names_before_and_after_1970() {
        let monday = Timestamp::parse("2026-11-23T00:00:00Z").unwrap().as_millis();
        let longer_ago = Timestamp::parse("1969-12-29T00:00:00Z").unwrap().as_millis();
        for (days, name) in (0..).zip(["mon", "tue", "wed", "thu", "fri", "sat", "sun", "mon"]) {
            for start in [monday, longer_ago] {
                let first = Timestamp::from_millis(start + days * DAY_MS);
                let last = Timestamp::from_millis(start + (days + 1) * DAY_MS - 1);
                assert_eq!(weekday_and_time(first), (name, 0), "{first}");
                assert_eq!(weekday_and_time(last), (name, DAY_MS - 1), "{last}");
            }
        }
    }
}
