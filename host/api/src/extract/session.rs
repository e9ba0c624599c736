//! The caller: first argument of every handler, so that nothing is looked at before it is known who asks.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::request::Parts;
use quantum_policy::{Caller, Context};

use crate::auth::Session;
use crate::problem::Problem;
use crate::state::Api;

/// The other end of the connection. Set by the accept loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub IpAddr);

impl FromRequestParts<Api> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let now = api.services.clock.now();
        api.authenticator.session(&parts.headers, now, peer(parts)).await
    }
}

/// An administrator of the host, authorized.
pub(crate) struct Platform {
    pub caller: Caller,
    pub context: Context,
}

impl FromRequestParts<Api> for Platform {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let now = api.services.clock.now();
        let caller = api.authenticator.platform_caller(&parts.headers, now)?;
        let context = Context { ip: peer(parts), ..Context::at(now) };
        api.authorize_platform(&caller, &context)?;
        Ok(Self { caller, context })
    }
}

fn peer(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<PeerAddress>().map(|peer| peer.0)
}
