//! Who asks, by bearer token, and what they may do: everything in their namespaces, nothing elsewhere.

use super::path::Place;
use super::status::{Status, forbidden, unauthorized};
use crate::http::Received;

#[derive(Debug, Clone)]
pub struct ClusterUser {
    /// As the cluster calls it: `system:serviceaccount:production:quantum`.
    pub name: String,
    pub token: String,
    pub namespaces: Vec<String>,
}

/// Err: 401.
pub fn user<'u>(users: &'u [ClusterUser], request: &Received) -> Result<&'u ClusterUser, Status> {
    let (scheme, token) = request.authorization().ok_or_else(unauthorized)?;
    let known = users.iter().find(|user| scheme == "bearer" && user.token == token);
    known.ok_or_else(unauthorized)
}

/// Err: 403.
pub fn check(user: &ClusterUser, request: &Received, place: &Place) -> Result<(), Status> {
    let namespace = place.namespace();
    if user.namespaces.iter().any(|known| known == namespace) {
        return Ok(());
    }
    Err(forbidden(&user.name, verb(request, place), place))
}

/// As roles call it.
fn verb(request: &Received, place: &Place) -> &'static str {
    match (request.method.as_str(), place) {
        ("GET", Place::Deployment(_)) => "get",
        ("GET", _) if request.query("watch").is_some_and(|watch| watch == "true" || watch == "1") => "watch",
        ("GET", _) => "list",
        ("PATCH", _) => "patch",
        ("PUT", _) => "update",
        ("DELETE", _) => "delete",
        _ => "create",
    }
}
