//! The way of one request, from the guest's call to the answer's head.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Method, Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use ipnet::IpNet;
use quantum_core::port::{Attempt, EffectGate, HttpCall, StepSubject, Verdict};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::address::{AddressClasses, Classified};
use super::body::{Answer, Traffic, counted, head_bytes};
use super::connection::{Connection, Unsent, tls};
use super::denial::Denial;
use super::pool::{Key, Pool};
use super::target::Target;
use crate::host::now;

/// Addresses of one name that are looked at.
const ADDRESSES_MAX: usize = 8;
/// Requests of one attempt that are open at once. Over it: `connection-limit-reached`.
const OPEN_REQUESTS_MAX: usize = 32;
/// Bytes of one answer's body. Over it reading it fails with `HTTP-response-body-size`.
const RESPONSE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Milliseconds for lookup, TCP and TLS.
const CONNECT_MS_MAX: u64 = 10_000;
/// Milliseconds to the answer's head, and between two parts of its body.
const SILENCE_MS_MAX: u64 = 60_000;

/// Settings of outgoing requests.
#[derive(Debug, Clone)]
pub struct EgressOptions {
    /// Ranges that are not public and that the operator allows; metadata addresses stay refused.
    pub allow_cidrs: Vec<IpNet>,
    /// Certificate authorities beside the web's, DER.
    pub authorities: Vec<Vec<u8>>,
    pub response_bytes_max: u64,
    pub connect_ms_max: u64,
    /// Without a byte.
    pub silence_ms_max: u64,
}

impl Default for EgressOptions {
    fn default() -> Self {
        Self {
            allow_cidrs: Vec::new(),
            authorities: Vec::new(),
            response_bytes_max: RESPONSE_BYTES_MAX,
            connect_ms_max: CONNECT_MS_MAX,
            silence_ms_max: SILENCE_MS_MAX,
        }
    }
}

/// What the requests of all attempts share.
pub(crate) struct Egress {
    options: EgressOptions,
    gate: Arc<dyn EffectGate>,
    classes: AddressClasses,
    tls: TlsConnector,
    pool: Arc<Pool>,
}

impl Egress {
    pub fn new(options: EgressOptions, gate: Arc<dyn EffectGate>) -> Result<Self, crate::Error> {
        let tls = tls(&options.authorities).map_err(crate::Error::Tls)?;
        let classes = AddressClasses::new(options.allow_cidrs.clone());
        Ok(Self { options, gate, classes, tls, pool: Arc::default() })
    }
}

/// The requests of one attempt.
pub(crate) struct AttemptEgress {
    shared: Arc<Egress>,
    subject: StepSubject,
    attempt: u32,
    open: Arc<Semaphore>,
    traffic: Arc<Traffic>,
    denial: Mutex<Option<Denial>>,
}

/// How long the parts of one request may take: the guest's wish, within the host's limit.
struct Times {
    connect: Duration,
    first_byte: Duration,
    between_bytes: Duration,
}

impl AttemptEgress {
    pub fn new(shared: Arc<Egress>, attempt: &Attempt) -> Self {
        Self {
            shared,
            subject: attempt.subject.clone(),
            attempt: attempt.number,
            open: Arc::new(Semaphore::new(OPEN_REQUESTS_MAX)),
            traffic: Arc::default(),
            denial: Mutex::default(),
        }
    }

    pub fn sent_bytes(&self) -> u64 {
        self.traffic.sent_bytes()
    }

    pub fn received_bytes(&self) -> u64 {
        self.traffic.received_bytes()
    }

    /// The last request's, when it was denied.
    pub fn denial(&self) -> Option<Denial> {
        self.denial.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Decides and sends one request.
    pub async fn send(
        &self,
        mut request: Request<WasiBody>,
        wished: RequestOptions,
    ) -> Result<Response<WasiBody>, Error> {
        let open = self.open.clone().try_acquire_owned().map_err(|_| Error::ConnectionLimitReached)?;
        let times = self.times(wished);
        let method = request.method().clone();
        let target = Target::parse(&method, request.uri())?;
        let addresses = self.decide(&method, &target, &times).await?;
        *request.uri_mut() = origin_form(request.uri())?;
        let (parts, body) = request.into_parts();
        self.traffic.count_sent(
            method.as_str().len() + parts.uri.to_string().len() + 12 + head_bytes(&parts.headers),
        );
        let request = Request::from_parts(parts, counted(body, self.traffic.clone()));
        let exchanged = self.exchange(&target, &addresses, request, &times).await?;
        self.answer(exchanged, open, &times)
    }

    /// The addresses that this request may go to, at least one.
    async fn decide(&self, method: &Method, target: &Target, times: &Times) -> Result<Vec<IpAddr>, Error> {
        if !target.is_granted(method, &self.subject.action.grant.hosts) {
            return Err(self.deny(Denial::not_granted(target, &self.subject.action)));
        }
        let mut allowed = Vec::new();
        let mut first_denial = None;
        for address in resolve(target, times.connect).await? {
            let classified = self.shared.classes.classify(address);
            let verdict = self.ask(method, target, address, &classified);
            if verdict.allowed {
                allowed.push(address);
            } else {
                first_denial.get_or_insert_with(|| Denial::refused(target, &classified, &verdict));
            }
        }
        match (allowed.is_empty(), first_denial) {
            (true, Some(denial)) => Err(self.deny(denial)),
            (true, None) => Err(Error::DestinationNotFound),
            (false, _) => {
                *self.denial.lock().unwrap_or_else(PoisonError::into_inner) = None;
                Ok(allowed)
            }
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

    fn deny(&self, denial: Denial) -> Error {
        tracing::debug!(tenant = %self.subject.tenant, step = %self.subject.step, "{denial}");
        *self.denial.lock().unwrap_or_else(PoisonError::into_inner) = Some(denial);
        Error::HttpRequestDenied
    }

    /// On an idle connection when there is one; a server that closed it in the meantime costs nothing.
    async fn exchange(
        &self,
        target: &Target,
        addresses: &[IpAddr],
        mut request: Request<WasiBody>,
        times: &Times,
    ) -> Result<Exchanged, Error> {
        for address in addresses {
            let key = self.key(target, *address);
            let Some(idle) = self.shared.pool.take(&key) else { continue };
            let Some(mut connection) = idle.ready().await else { continue };
            match timeout(times.first_byte, connection.send(request)).await {
                Err(_) => return Err(Error::ConnectionReadTimeout),
                Ok(Ok(response)) => return Ok(Exchanged { key, connection, response }),
                Ok(Err(Unsent::Failed(error))) => return Err(error),
                Ok(Err(Unsent::Returned(returned))) => request = *returned,
            }
        }
        let (key, mut connection) = self.connect(target, addresses, times).await?;
        match timeout(times.first_byte, connection.send(request)).await {
            Err(_) => Err(Error::ConnectionReadTimeout),
            Ok(Ok(response)) => Ok(Exchanged { key, connection, response }),
            Ok(Err(Unsent::Failed(error))) => Err(error),
            Ok(Err(Unsent::Returned(_))) => Err(Error::ConnectionTerminated),
        }
    }

    /// To the first of the checked addresses that answers.
    async fn connect(
        &self,
        target: &Target,
        addresses: &[IpAddr],
        times: &Times,
    ) -> Result<(Key, Connection), Error> {
        let mut last = Error::DestinationUnavailable;
        for address in addresses {
            match timeout(times.connect, Connection::open(target, *address, &self.shared.tls)).await {
                Ok(Ok(connection)) => return Ok((self.key(target, *address), connection)),
                Ok(Err(error)) => last = error,
                Err(_) => last = Error::ConnectionTimeout,
            }
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
        let bytes_max = self.shared.options.response_bytes_max;
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

    fn key(&self, target: &Target, address: IpAddr) -> Key {
        Key {
            tenant: self.subject.tenant.clone(),
            component: self.subject.action.component.clone(),
            tls: target.tls,
            host: target.host.clone(),
            port: target.port,
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

/// Asked anew for each request: a name that changes its address is checked with the new one. Odd spellings such as
/// `0x7f.1` or `2130706433` are addresses to the system's resolver, and are classified as what it makes of them.
async fn resolve(target: &Target, time_max: Duration) -> Result<Vec<IpAddr>, Error> {
    if let Ok(address) = target.host.parse() {
        return Ok(vec![address]);
    }
    let lookup = tokio::net::lookup_host((target.host.as_str(), target.port));
    let found = timeout(time_max, lookup).await.map_err(|_| Error::DnsTimeout)?;
    let unknown =
        |_| Error::DnsError { rcode: Some("the name does not resolve".to_owned()), info_code: None };
    let found = found.map_err(unknown)?;
    let mut addresses = Vec::new();
    for socket in found.take(ADDRESSES_MAX) {
        if !addresses.contains(&socket.ip()) {
            addresses.push(socket.ip());
        }
    }
    Ok(addresses)
}

/// The path and the query: what a server, unlike a proxy, is sent.
fn origin_form(uri: &Uri) -> Result<Uri, Error> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Uri::builder().path_and_query(path).build().map_err(|_| Error::HttpRequestUriInvalid)
}
