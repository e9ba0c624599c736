//! The way of one request, from the guest's call to the answer's head.

use std::error::Error as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use quantum_core::port::{Attempt, EffectGate, HttpCall, StepSubject, Verdict};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::address::{AddressClasses, Classified};
use super::body::{Answer, Traffic, counted, head_bytes};
use super::connection::{Connection, Unopened, Unsent};
use super::denial::Denial;
use super::fill::Filler;
use super::fill_body::{Deny, fill_body};
use super::notes::Notes;
use super::options::EgressOptions;
use super::pool::{Key, Pool};
use super::resolve::resolve;
use super::route::Route;
use super::target::Target;
use super::trust::{Trusts, certificate_hint};
use crate::host::now;
use crate::secret::Vault;

/// Requests of one attempt that are open at once. Over it: `connection-limit-reached`.
const OPEN_REQUESTS_MAX: usize = 32;
/// Bytes of a denial in the host's own log.
const DENIAL_BYTES_MAX: usize = 4 * 1024;

/// What the requests of all attempts share.
pub(crate) struct Egress {
    options: EgressOptions,
    gate: Arc<dyn EffectGate>,
    classes: AddressClasses,
    trusts: Trusts,
    pool: Arc<Pool>,
}

impl Egress {
    pub fn new(options: EgressOptions, gate: Arc<dyn EffectGate>) -> Result<Self, crate::Error> {
        let trusts = Trusts::new(&options.authorities).map_err(crate::Error::Tls)?;
        let classes = AddressClasses::new(options.allow_cidrs.clone());
        Ok(Self { options, gate, classes, trusts, pool: Arc::default() })
    }
}

/// The requests of one attempt.
pub(crate) struct AttemptEgress {
    shared: Arc<Egress>,
    subject: StepSubject,
    attempt: u32,
    vault: Arc<Vault>,
    open: Arc<Semaphore>,
    traffic: Arc<Traffic>,
    notes: Arc<Notes>,
}

/// How long the parts of one request may take: the guest's wish, within the host's limit.
struct Times {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Duration,
}

impl AttemptEgress {
    pub fn new(shared: Arc<Egress>, attempt: &Attempt, vault: Arc<Vault>) -> Self {
        Self {
            shared,
            subject: attempt.subject.clone(),
            attempt: attempt.number,
            vault,
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
        let times = self.times(wished);
        let method = request.method().clone();
        let route = self.route(&method, Target::parse(&method, request.uri())?)?;
        let filler = self.filler(&request, &route)?;
        let addresses = self.decide(&method, &route, &times).await?;
        let request = self.fill(request, filler, &route).await?;
        self.notes.clear();
        let exchanged = self.exchange(&route, &addresses, request, &times).await?;
        let mut answer = self.answer(exchanged, open, &times)?;
        route.relocate(answer.headers_mut());
        Ok(answer)
    }

    /// The grant says what the guest may ask for, the installation's endpoints where that is.
    fn route(&self, method: &Method, target: Target) -> Result<Route, Error> {
        let action = &self.subject.action;
        if !target.is_covered(method, &action.grant.hosts) {
            return Err(self.deny(Denial::not_granted(&target, action)));
        }
        let endpoints = &action.settings.of(self.subject.environment).endpoints;
        Route::find(target, endpoints, &self.shared.trusts).map_err(|denial| self.deny(denial))
    }

    /// The addresses that this request may go to, at least one.
    async fn decide(&self, method: &Method, route: &Route, times: &Times) -> Result<Vec<IpAddr>, Error> {
        let mut allowed = Vec::new();
        let mut first_denial = None;
        for address in resolve(&route.actual, times.connect).await? {
            let classified = self.shared.classes.classify(address);
            let verdict = self.ask(method, &route.actual, address, &classified);
            if verdict.allowed {
                allowed.push(address);
            } else {
                first_denial.get_or_insert_with(|| Denial::refused(route, &classified, &verdict));
            }
        }
        match (allowed.is_empty(), first_denial) {
            (true, Some(denial)) => Err(self.deny(denial)),
            (true, None) => Err(Error::DestinationNotFound),
            (false, _) => Ok(allowed),
        }
    }

    fn ask(&self, method: &Method, target: &Target, address: IpAddr, classified: &Classified) -> Verdict {
        let call = HttpCall {
            method: method.as_str(),
            host: &target.host,
            port: target.port,
            path: &target.path,
            tls: target.tls,
            ip: address,
            address_class: classified.class,
            granted: true,
            attempt: self.attempt,
        };
        self.shared.gate.http_request(&self.subject, &call, now())
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
        Ok(Request::from_parts(parts, counted(body, self.traffic.clone())))
    }

    fn deny(&self, denial: Denial) -> Error {
        self.denying()(denial)
    }

    /// The same for a body, which may be denied while it is being sent.
    fn denying(&self) -> Deny {
        let (notes, vault) = (self.notes.clone(), self.vault.clone());
        let StepSubject { tenant, step, .. } = self.subject.clone();
        Arc::new(move |denial| {
            let text = vault.redactions().text(&denial.to_string(), DENIAL_BYTES_MAX);
            tracing::debug!(%tenant, %step, "{text}");
            notes.deny(denial);
            Error::HttpRequestDenied
        })
    }

    /// On an idle connection when there is one; a server that closed it in the meantime costs nothing.
    async fn exchange(
        &self,
        route: &Route,
        addresses: &[IpAddr],
        mut request: Request<WasiBody>,
        times: &Times,
    ) -> Result<Exchanged, Error> {
        for address in addresses {
            let key = self.key(route, *address);
            let Some(idle) = self.shared.pool.take(&key) else { continue };
            let Some(mut connection) = idle.ready().await else { continue };
            match timeout(times.first_byte, connection.send(request)).await {
                Err(_) => return Err(Error::ConnectionReadTimeout),
                Ok(Ok(response)) => return Ok(Exchanged { key, connection, response }),
                Ok(Err(Unsent::Failed(error))) => return Err(denied_body_or(error)),
                Ok(Err(Unsent::Returned(returned))) => request = *returned,
            }
        }
        let (key, mut connection) = self.connect(route, addresses, times).await?;
        match timeout(times.first_byte, connection.send(request)).await {
            Err(_) => Err(Error::ConnectionReadTimeout),
            Ok(Ok(response)) => Ok(Exchanged { key, connection, response }),
            Ok(Err(Unsent::Failed(error))) => Err(denied_body_or(error)),
            Ok(Err(Unsent::Returned(_))) => Err(Error::ConnectionTerminated),
        }
    }

    /// To the first of the checked addresses that answers.
    async fn connect(
        &self,
        route: &Route,
        addresses: &[IpAddr],
        times: &Times,
    ) -> Result<(Key, Connection), Error> {
        let mut last = Error::DestinationUnavailable;
        for address in addresses {
            let opening = Connection::open(&route.actual, *address, &route.trust.connector);
            last = match timeout(times.connect, opening).await {
                Ok(Ok(connection)) => return Ok((self.key(route, *address), connection)),
                Ok(Err(Unopened::Failed(error))) => error,
                Ok(Err(Unopened::Certificate(reason))) => {
                    let (host, key) = (route.actual.authority(), route.logical.authority());
                    self.notes.hint(certificate_hint(&host, &key, &reason));
                    Error::TlsCertificateError
                }
                Err(_) => Error::ConnectionTimeout,
            };
        }
        Err(last)
    }

    fn answer(
        &self,
        exchanged: Exchanged,
        open: OwnedSemaphorePermit,
        times: &Times,
    ) -> Result<Response<WasiBody>, Error> {
        let Exchanged { key, connection, response } = exchanged;
        let bytes_max = self.response_bytes_max();
        let (parts, incoming) = response.into_parts();
        self.traffic.count_received(head_bytes(&parts.headers) + 17);
        let announced = http_body::Body::size_hint(&incoming).lower();
        if announced > bytes_max {
            return Err(Error::HttpResponseBodySize(Some(announced)));
        }
        let answer = Answer {
            incoming,
            connection: Some(connection),
            pool: self.shared.pool.clone(),
            key,
            traffic: self.traffic.clone(),
            bytes_left: bytes_max,
            bytes_max,
            between_bytes: times.between_bytes,
            silence: Box::pin(tokio::time::sleep_until(Instant::now() + times.between_bytes)),
            open: Some(open),
        };
        Ok(Response::from_parts(parts, answer.boxed_unsync()))
    }

    fn response_bytes_max(&self) -> u64 {
        let EgressOptions { response_bytes_max, response_bytes_ceiling, .. } = self.shared.options;
        let granted = self.subject.action.grant.response_bytes_max;
        granted.map_or(response_bytes_max, |bytes| bytes.min(response_bytes_ceiling))
    }

    fn key(&self, route: &Route, address: IpAddr) -> Key {
        Key {
            tenant: self.subject.tenant.clone(),
            component: self.subject.action.component.clone(),
            logical: route.logical.to_string(),
            trust: route.trust.id,
            tls: route.actual.tls,
            host: route.actual.host.clone(),
            port: route.actual.port,
            address,
        }
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

/// A request and the connection that its answer comes on.
struct Exchanged {
    key: Key,
    connection: Connection,
    response: Response<Incoming>,
}

/// A body that was denied while it was sent looks like a broken connection from outside.
fn denied_body_or(error: Error) -> Error {
    let Error::Hyper(broken) = &error else { return error };
    let cause = broken.source().and_then(|cause| cause.downcast_ref::<Error>());
    if matches!(cause, Some(Error::HttpRequestDenied)) { Error::HttpRequestDenied } else { error }
}

/// The path and the query: what a server, unlike a proxy, is sent.
fn origin_form(uri: &Uri) -> Result<Uri, Error> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Uri::builder().path_and_query(path).build().map_err(|_| Error::HttpRequestUriInvalid)
}
