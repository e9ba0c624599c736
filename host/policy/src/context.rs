//! Cedar's contexts: the circumstances that a policy can look at.

use std::net::IpAddr;

use cedar_policy::RestrictedExpression as Value;
use quantum_core::port::HttpCall;
use quantum_core::time::Timestamp;
use quantum_core::vocabulary::{Group, Operation};

use crate::entity::plugin_uid;
use crate::facts::{Auth, Caller, Change, Context};
use crate::question::Unfit;
use crate::words::{WORDS, uid};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// The first day of Unix time was a Thursday.
const WEEKDAYS: [&str; 7] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];

type Pair = (String, Value);

/// For a person or a service account. What it holds depends on the operation, as the schema says.
pub(crate) fn of_caller(
    operation: Operation,
    caller: &Caller,
    context: &Context,
) -> Result<Vec<Pair>, Unfit> {
    let mut pairs = request(&caller.auth, context)?;
    match operation {
        Operation::IntentCreate => {
            let environment = context.environment.ok_or(Unfit::Missing { operation, fact: "environment" })?;
            pairs.push(pair("environment", Value::new_entity_uid(WORDS.environment(environment))));
        }
        Operation::PluginInstall | Operation::PluginUninstall => {
            let plugin = context.plugin.as_ref().ok_or(Unfit::Missing { operation, fact: "plugin" })?;
            pairs.push(pair("plugin", Value::new_entity_uid(plugin_uid(&plugin.id))));
        }
        _ if operation.group() == Group::Operate => pairs.extend(change(&context.change)),
        _ => {}
    }
    Ok(pairs)
}

/// For the start of a step.
pub(crate) fn of_step(attempt: u32, now: Timestamp) -> Vec<Pair> {
    vec![instant(now), pair("attempt", Value::new_long(i64::from(attempt)))]
}

/// For one outgoing request.
pub(crate) fn of_call(call: &HttpCall<'_>, now: Timestamp) -> Vec<Pair> {
    let mut pairs = of_step(call.attempt, now);
    pairs.push(pair("method", Value::new_string(call.method.to_owned())));
    pairs.push(pair("path", Value::new_string(call.path.to_owned())));
    pairs
}

fn request(auth: &Auth, context: &Context) -> Result<Vec<Pair>, Unfit> {
    let (weekday, time_ms) = weekday_and_time(context.now);
    let mut pairs = vec![
        instant(context.now),
        pair("weekday", Value::new_entity_uid(uid(&WORDS.weekday, weekday))),
        pair("localTime", Value::new_duration(format!("{time_ms}ms"))),
        pair("auth", authentication(auth)?),
    ];
    pairs.extend(context.ip.map(|ip| pair("ip", address(ip))));
    Ok(pairs)
}

fn authentication(auth: &Auth) -> Result<Value, Unfit> {
    let age = i64::try_from(auth.age_seconds).unwrap_or(i64::MAX);
    let scopes = auth.scopes.iter().map(|scope| Value::new_string(scope.clone()));
    let fields = [
        pair("method", Value::new_entity_uid(uid(&WORDS.auth_method, auth.method.as_str()))),
        pair("mfa", Value::new_bool(auth.mfa)),
        pair("ageSeconds", Value::new_long(age)),
        pair("scopes", Value::new_set(scopes)),
    ];
    Value::new_record(fields).map_err(Unfit::other)
}

fn change(change: &Change) -> Vec<Pair> {
    let mut pairs = vec![
        pair("inChangeWindow", Value::new_bool(change.in_change_window)),
        pair("frozen", Value::new_bool(change.frozen)),
        pair("approvals", Value::new_long(i64::from(change.approvals))),
    ];
    pairs.extend(change.ticket.clone().map(|ticket| pair("ticket", Value::new_string(ticket))));
    pairs
}

fn instant(now: Timestamp) -> Pair {
    pair("now", Value::new_datetime(now.to_string()))
}

/// In UTC: tenants have no time zone of their own yet.
fn weekday_and_time(now: Timestamp) -> (&'static str, i64) {
    let day = now.as_millis().div_euclid(DAY_MS).rem_euclid(7);
    let name = usize::try_from(day).ok().and_then(|day| WEEKDAYS.get(day)).copied();
    (name.unwrap_or("thu"), now.as_millis().rem_euclid(DAY_MS))
}

/// An IPv4 address in IPv6 clothes is the IPv4 address; other IPv6 is written in hex only, because Cedar reads no
/// dotted tail.
pub(crate) fn address(ip: IpAddr) -> Value {
    match ip.to_canonical() {
        IpAddr::V4(v4) => Value::new_ip(v4.to_string()),
        IpAddr::V6(v6) => Value::new_ip(v6.segments().map(|part| format!("{part:x}")).join(":")),
    }
}

fn pair(name: &str, value: Value) -> Pair {
    (name.to_owned(), value)
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
