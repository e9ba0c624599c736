//! The way of one request, from the guest's call to the answer's head.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, Request, Response, Uri};
use http_body_util::BodyExt;
use quantum_core::port::{Attempt, EffectGate, HttpCall, StepSubject, Verdict};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::address::{AddressClasses, Classified};
use super::body::{Answer, Outgoing, Traffic, head_bytes, too_large};
use super::denial::Denial;
use super::exchange::Exchanged;
use super::fill::Filler;
use super::fill_body::{Deny, fill_body};
use super::limits::{DENIAL_BYTES_MAX, OPEN_REQUESTS_MAX};
use super::notes::{Denied, Notes};
use super::options::EgressOptions;
use super::pool::Pool;
use super::resolve::Names;
use super::route::Route;
use super::target::Target;
use super::trust::Trusts;
use crate::host::now;
use crate::secret::Vault;

/// What the requests of all attempts share.
pub(crate) struct Egress {
    options: EgressOptions,
    gate: Arc<dyn EffectGate>,
    names: Names,
    classes: AddressClasses,
    trusts: Trusts,
    pub(super) pool: Arc<Pool>,
}

impl Egress {
    pub fn new(options: EgressOptions, gate: Arc<dyn EffectGate>) -> Result<Self, crate::Error> {
        let trusts = Trusts::new(&options.authorities).map_err(crate::Error::Tls)?;
        let classes = AddressClasses::new(options.allow_cidrs.clone());
        let names = Names::new(options.resolver.clone());
        Ok(Self { options, gate, names, classes, trusts, pool: Arc::default() })
    }
}

/// The requests of one attempt.
pub(crate) struct AttemptEgress {
    pub(super) shared: Arc<Egress>,
    attempt: Arc<Attempt>,
    vault: Arc<Vault>,
    made: AtomicU64,
    open: Arc<Semaphore>,
    traffic: Arc<Traffic>,
    pub(super) notes: Arc<Notes>,
}

/// One request on its way: who asks, under the grant of this moment, what for and where to.
pub(super) struct Asking<'a> {
    pub subject: Cow<'a, StepSubject>,
    pub method: Method,
    pub route: Route,
    pub times: Times,
}

/// How long the parts of one request may take: the guest's wish, within the host's limit.
pub(super) struct Times {
    pub connect: Duration,
    pub first_byte: Duration,
    pub between_bytes: Duration,
}

impl AttemptEgress {
    pub fn new(shared: Arc<Egress>, attempt: Arc<Attempt>, vault: Arc<Vault>) -> Self {
        Self {
            shared,
            attempt,
            vault,
            made: AtomicU64::new(0),
            open: Arc::new(Semaphore::new(OPEN_REQUESTS_MAX)),
            traffic: Arc::default(),
            notes: Arc::default(),
        }
    }

    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Decides and sends one request.
    pub async fn send(
        &self,
        request: Request<WasiBody>,
        wished: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let open = self.open.clone().try_acquire_owned().map_err(|_| Error::ConnectionLimitReached)?;
        let asking = self.asking(&request, wished)?;
        let filler = self.filler(&request, &asking.route)?;
        let addresses = self.decide(&asking).await?;
        let request = self.fill(request, filler, &asking.route).await?;
        self.notes.clear();
        let exchanged = self.exchange(&asking, &addresses, request).await?;
        let mut answer = self.answer(exchanged, open, &asking)?;
        asking.route.relocate(answer.headers_mut());
        Ok(answer)
    }

    /// What the grant says now, and not what it said when the attempt began.
    fn asking(&self, request: &Request<WasiBody>, wished: RequestOptions) -> Result<Asking<'_>, Error> {
        let method = request.method().clone();
        let target = Target::parse(&method, request.uri())?;
        self.count(&target)?;
        let Some(action) = self.shared.gate.in_force(&self.attempt.subject) else {
            return Err(self.deny(Denial::uninstalled(&target, &self.attempt.subject.action)));
        };
        let subject = if Arc::ptr_eq(&action, &self.attempt.subject.action) {
            Cow::Borrowed(&self.attempt.subject)
        } else {
            Cow::Owned(StepSubject { action, ..self.attempt.subject.clone() })
        };
        let route = self.route(&method, target, &subject)?;
        Ok(Asking { subject, method, route, times: self.times(wished) })
    }

    fn count(&self, target: &Target) -> Result<(), Error> {
        let EgressOptions { requests_max, sent_bytes_max, received_bytes_max, .. } = self.shared.options;
        if self.made.fetch_add(1, Ordering::Relaxed) >= requests_max {
            let reason = format!("an attempt makes at most {requests_max} requests");
            return Err(self.deny(Denial::over_limit(target, "requests", reason)));
        }
        if self.traffic.sent_bytes() >= sent_bytes_max {
            let reason = format!("an attempt sends at most {sent_bytes_max} bytes");
            return Err(self.deny(Denial::over_limit(target, "sent-bytes", reason)));
        }
        if self.traffic.received_bytes() >= received_bytes_max {
            let reason = format!("an attempt receives at most {received_bytes_max} bytes");
            return Err(self.deny(Denial::over_limit(target, "received-bytes", reason)));
        }
        Ok(())
    }

    /// The grant says what the guest may ask for, the installation's endpoints where that is.
    fn route(&self, method: &Method, target: Target, subject: &StepSubject) -> Result<Route, Error> {
        let action = &subject.action;
        if !target.is_covered(method, &action.grant.hosts) {
            return Err(self.deny(Denial::not_granted(method.as_str(), &target, action)));
        }
        let endpoints = &action.settings.of(subject.environment).endpoints;
        Route::find(target, endpoints, &self.shared.trusts).map_err(|denial| self.deny(denial))
    }

    /// The addresses that this request may go to, at least one. The name is asked for once: what is decided here is what
    /// is connected to.
    async fn decide(&self, asking: &Asking<'_>) -> Result<Vec<IpAddr>, Error> {
        let Asking { subject, route, times, .. } = asking;
        let mut allowed = Vec::new();
        let mut first_denial = None;
        for address in self.shared.names.resolve(&subject.tenant, &route.actual, times.connect).await? {
            let classified = self.shared.classes.classify(address);
            let verdict = self.ask(asking, address, &classified);
            if verdict.allowed {
                allowed.push(address);
            } else {
                let ranges = &self.shared.options.allow_cidrs;
                first_denial.get_or_insert_with(|| Denial::refused(route, &classified, ranges, &verdict));
            }
        }
        match (allowed.is_empty(), first_denial) {
            (true, Some(denial)) => Err(self.deny(denial)),
            (true, None) => Err(Error::DestinationNotFound),
            (false, _) => Ok(allowed),
        }
    }

    fn ask(&self, asking: &Asking<'_>, address: IpAddr, classified: &Classified) -> Verdict {
        let target = &asking.route.actual;
        let call = HttpCall {
            method: asking.method.as_str(),
            host: &target.host,
            port: target.port,
            path: &target.path,
            tls: target.tls,
            ip: address,
            address_class: classified.class,
            granted: true,
            attempt: self.attempt.number,
        };
        self.shared.gate.http_request(&asking.subject, &call, now())
    }

    fn filler(&self, request: &Request<WasiBody>, route: &Route) -> Result<Arc<Filler>, Error> {
        let filler = Filler::new(self.vault.clone(), route.logical.clone(), request.method().clone());
        if !filler.is_idle() {
            let misplaced = filler.refuse_misplaced(request.uri(), request.headers());
            misplaced.map_err(|denial| self.deny(denial))?;
        }
        Ok(Arc::new(filler))
    }

    /// The request as it leaves: with its secrets, to where it really goes, counted.
    async fn fill(
        &self,
        request: Request<WasiBody>,
        filler: Arc<Filler>,
        route: &Route,
    ) -> Result<Request<WasiBody>, Error> {
        let (mut parts, body) = request.into_parts();
        if !filler.is_idle() {
            let looked = self.vault.look_again().await;
            looked.map_err(|error| Error::InternalError(Some(error.message)))?;
            filler.head(&mut parts).map_err(|denial| self.deny(denial))?;
        }
        let body = fill_body(filler, &mut parts.headers, body, self.denying()).await?;
        parts.uri = origin_form(&parts.uri)?;
        if let Some(host) = route.host_header() {
            parts.headers.insert(http::header::HOST, host);
        }
        self.traffic.count_sent(
            parts.method.as_str().len() + parts.uri.to_string().len() + 12 + head_bytes(&parts.headers),
        );
        Ok(Request::from_parts(parts, self.outgoing(body)))
    }

    fn outgoing(&self, body: WasiBody) -> WasiBody {
        let EgressOptions { request_bytes_max, sent_bytes_max, .. } = self.shared.options;
        let outgoing = Outgoing {
            body,
            traffic: self.traffic.clone(),
            bytes_left: request_bytes_max,
            bytes_max: request_bytes_max,
            sent_bytes_max,
            notes: self.notes.clone(),
        };
        outgoing.boxed_unsync()
    }

    fn deny(&self, denial: Denial) -> Error {
        self.denying()(denial)
    }

    /// The same for a body, which may be denied while it is being sent.
    fn denying(&self) -> Deny {
        let (notes, vault, attempt) = (self.notes.clone(), self.vault.clone(), self.attempt.clone());
        Arc::new(move |denial| {
            let text = vault.redactions().text(&denial.to_string(), DENIAL_BYTES_MAX);
            let StepSubject { tenant, step, .. } = &attempt.subject;
            tracing::debug!(%tenant, %step, "{text}");
            notes.denied(Denied::from(&denial));
            Error::HttpRequestDenied
        })
    }

    fn answer(
        &self,
        exchanged: Exchanged,
        open: OwnedSemaphorePermit,
        asking: &Asking<'_>,
    ) -> Result<Response<WasiBody>, Error> {
        let Exchanged { key, connection, response } = exchanged;
        let (bytes_max, between_bytes) =
            (self.response_bytes_max(&asking.subject), asking.times.between_bytes);
        let EgressOptions { response_bytes_ceiling: bytes_ceiling, received_bytes_max, .. } =
            self.shared.options;
        let (parts, incoming) = response.into_parts();
        self.traffic.count_received(head_bytes(&parts.headers) + 17);
        let announced = http_body::Body::size_hint(&incoming).lower();
        if announced > bytes_max {
            self.notes.hint(too_large(bytes_max, bytes_ceiling));
            return Err(Error::HttpResponseBodySize(Some(announced)));
        }
        let answer = Answer {
            incoming,
            connection: Some(connection),
            pool: self.shared.pool.clone(),
            key,
            traffic: self.traffic.clone(),
            notes: self.notes.clone(),
            bytes_left: bytes_max,
            bytes_max,
            bytes_ceiling,
            received_bytes_max,
            between_bytes,
            silence: Box::pin(tokio::time::sleep_until(Instant::now() + between_bytes)),
            open: Some(open),
        };
        Ok(Response::from_parts(parts, answer.boxed_unsync()))
    }

    fn response_bytes_max(&self, subject: &StepSubject) -> u64 {
        let EgressOptions { response_bytes_max, response_bytes_ceiling, .. } = self.shared.options;
        let granted = subject.action.grant.response_bytes_max;
        granted.map_or(response_bytes_max, |bytes| bytes.min(response_bytes_ceiling))
    }

    fn times(&self, wished: RequestOptions) -> Times {
        let connect = Duration::from_millis(self.shared.options.connect_ms_max);
        let silence = Duration::from_millis(self.shared.options.silence_ms_max);
        Times {
            connect: wished.connect_timeout.map_or(connect, |wish| wish.min(connect)),
            first_byte: wished.first_byte_timeout.map_or(silence, |wish| wish.min(silence)),
            between_bytes: wished.between_bytes_timeout.map_or(silence, |wish| wish.min(silence)),
        }
    }
}

/// The path and the query: what a server, unlike a proxy, is sent.
fn origin_form(uri: &Uri) -> Result<Uri, Error> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Uri::builder().path_and_query(path).build().map_err(|_| Error::HttpRequestUriInvalid)
}
