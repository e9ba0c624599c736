//! `quantum serve`: listens, says where, and ends in order when it is told to.

use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use quantum_api::{AdminServices, Services};
use quantum_core::id::TenantId;
use quantum_store::{Announcement, Bucket, Health, TenantScope};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::policies::{self, Policies};
use crate::settings::{FileError, ServeOptions, Settings};
use crate::warm::warm;
use crate::wire::{Host, WireError};

/// How often the store's health is looked at.
const HEALTH_EVERY: Duration = Duration::from_secs(1);
/// How often is looked whether the bucket can be used: health checks ask for what was found last.
const PROBE_EVERY: Duration = Duration::from_secs(15);
/// How often is looked for what nobody needs any more: it is kept for days, so that hours do not matter.
const COLLECT_EVERY: Duration = Duration::from_secs(3_600);

/// Why a host did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Settings(#[from] FileError),
    #[error(transparent)]
    Wire(#[from] WireError),
    #[error("listen at {address}; choose another address with --listen or --admin-listen")]
    Listen { address: SocketAddr, source: io::Error },
    #[error(
        "the API of this version has no TLS of its own, so it listens on this machine only; {address} is not, put a proxy before 127.0.0.1"
    )]
    Exposed { address: SocketAddr },
    #[error("write the ready file {}", path.display())]
    ReadyFile { path: PathBuf, source: io::Error },
    #[error("install the metrics recorder")]
    Metrics(#[source] metrics_exporter_prometheus::BuildError),
    #[error("wait for signals")]
    Signals(#[source] io::Error),
    #[error(
        "the store failed: {reason}; what was acknowledged is safe, start the host again once the disk is well"
    )]
    StoreFailed { reason: String },
}

/// Runs a host until it is told to stop.
pub async fn serve(options: ServeOptions) -> Result<(), ServeError> {
    let settings = options.settle()?;
    start_tracing();
    let metrics = PrometheusBuilder::new().install_recorder().map_err(ServeError::Metrics)?;
    let listener = listen(settings.listen).await?;
    let admin = listen(settings.admin_listen).await?;
    let host = Host::build(&settings).await?;
    let closing = host.services.closing.clone();
    let api = quantum_api::router(host.services.clone(), host.options.clone());
    let admin_services = AdminServices {
        store: host.services.store.clone(),
        engine: host.services.engine.clone(),
        bucket: host.bucket.clone(),
        metrics: Arc::new(move || render(&metrics)),
        policies: policies::state_of(&host.policies),
    };
    let admin_router = quantum_api::admin_router(admin_services);
    // Before anybody learns that the host is there: from now on a signal ends it in order.
    let signals = StopSignals::new().map_err(ServeError::Signals)?;
    let reload = signal(SignalKind::hangup()).map_err(ServeError::Signals)?;
    announce(&settings, &listener, &admin)?;
    let limits = host.options.limits.clone();
    let serving = tokio::spawn(quantum_api::serve(listener, api, limits.clone(), closing.clone()));
    let admin_serving = tokio::spawn(quantum_api::serve(admin, admin_router, limits, closing.clone()));
    let collecting = tokio::spawn(collect(host.services.clone(), closing.clone()));
    let (changed, tenants) = unbounded_channel();
    let following = tokio::spawn(follow(host.services.clone(), changed, closing.clone()));
    let warming = tokio::spawn(warm(host.services.clone(), tenants, closing.clone()));
    let probing = tokio::spawn(probe(host.bucket.clone(), closing.clone()));
    let watching = tokio::spawn(watch(host.policies.clone(), reload, closing.clone()));
    let ended = wait(&host, &closing, signals).await;
    closing.cancel();
    // A listener that panicked has nothing left to wait for.
    let (_api, _admin, _collecting, _following, _warming, _probing, _watching) =
        tokio::join!(serving, admin_serving, collecting, following, warming, probing, watching);
    host.shutdown().await;
    ended
}

fn start_tracing() {
    let filter = EnvFilter::try_from_env("QUANTUM_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let mut subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // Colours are for people: in a file they are signs between the words. NO_COLOR is heeded already.
    if !io::stderr().is_terminal() {
        subscriber = subscriber.with_ansi(false);
    }
    // It would tell of a line that could not be written by writing to standard error, and panic when that fails too:
    // a full disk under the log would take threads of the host with it.
    let subscriber = subscriber.log_internal_errors(false);
    // A program that embeds the host may have its own.
    let _already = subscriber.try_init();
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::Exposed { address });
    }
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

fn render(metrics: &PrometheusHandle) -> String {
    metrics.run_upkeep();
    metrics.render()
}

fn announce(settings: &Settings, listener: &TcpListener, admin: &TcpListener) -> Result<(), ServeError> {
    let url = |listener: &TcpListener, address| {
        listener
            .local_addr()
            .map(|at| format!("http://{at}"))
            .map_err(|source| ServeError::Listen { address, source })
    };
    let api = url(listener, settings.listen)?;
    let admin = url(admin, settings.admin_listen)?;
    tracing::info!(api, admin, data_dir = %settings.data_dir.display(), "the host listens");
    match &settings.ready_file {
        Some(path) => write_whole(path, &format!("{api}\n{admin}\n"))
            .map_err(|source| ServeError::ReadyFile { path: path.clone(), source }),
        None => Ok(()),
    }
}

/// Whoever waits for the file never sees half of it.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = std::fs::File::create(&draft)?;
    file.write_all(text.as_bytes())?;
    std::fs::rename(&draft, path)
}

/// What an operator or a terminal sends.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn new() -> io::Result<Self> {
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }
}

/// Returns when somebody asks the host to stop, or when going on would be wrong.
async fn wait(host: &Host, closing: &CancellationToken, mut stop: StopSignals) -> Result<(), ServeError> {
    tokio::select! {
        _ = stop.terminate.recv() => {}
        _ = stop.interrupt.recv() => {}
        () = closing.cancelled() => {}
        reason = failed(host) => return Err(ServeError::StoreFailed { reason }),
    }
    tracing::info!("the host stops");
    Ok(())
}

/// Takes away what nobody needs any more: artifacts that nothing names, values over their time. Executions are removed
/// by the engine.
async fn collect(services: Services, closing: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(COLLECT_EVERY) => {}
            () = closing.cancelled() => return,
        }
        // One node does it for all that share the store.
        if !services.engine.leads("collector").await {
            continue;
        }
        match services.effects.collect(services.clock.now()).await {
            Ok(done) => tracing::debug!(?done, "collected what nobody needs"),
            Err(error) => {
                tracing::warn!(error = %crate::chain(&error), "could not collect what nobody needs")
            }
        }
    }
}

/// Finds out whether the bucket can be read and written, and tells once when that changes.
async fn probe(bucket: Option<Bucket>, closing: CancellationToken) {
    let Some(bucket) = bucket else { return };
    loop {
        tokio::select! {
            () = tokio::time::sleep(PROBE_EVERY) => {}
            () = closing.cancelled() => return,
        }
        let before = bucket.trouble();
        let probed = tokio::select! {
            probed = bucket.probe() => probed,
            () = closing.cancelled() => return,
        };
        match probed {
            Err(error) if before != bucket.trouble() => {
                tracing::error!(error = %crate::chain(&error), "the bucket cannot be used");
            }
            Ok(()) if before.is_some() => tracing::info!("the bucket can be used again"),
            _ => {}
        }
    }
}

/// Keeps the policies those of their folder.
async fn watch(policies: Arc<Policies>, reload: Signal, closing: CancellationToken) {
    policies.watch(reload, closing).await;
}

/// Sees what other nodes of the store have changed, and brings in line what this one keeps in memory. Tells `changed` who
/// may have installed something: everybody at first.
async fn follow(services: Services, changed: UnboundedSender<TenantId>, closing: CancellationToken) {
    let mut announcements = services.store.announcements();
    for tenant in every_tenant(&services).await {
        // Nobody listens when the host stops.
        let _stopped = changed.send(tenant);
    }
    loop {
        let heard = tokio::select! {
            heard = announcements.recv() => heard,
            () = closing.cancelled() => return,
        };
        let tenants = match heard {
            Ok(Announcement::Changed { tenants }) => tenants,
            Ok(_) => continue,
            Err(RecvError::Lagged(_)) => every_tenant(&services).await,
            Err(RecvError::Closed) => return,
        };
        for tenant in tenants {
            if let Err(error) = services.catalog.catch_up(&TenantScope::operator(tenant.clone())).await {
                tracing::warn!(error = %crate::chain(&error), "what another node has installed is not known yet");
            }
            let _stopped = changed.send(tenant);
        }
    }
}

async fn every_tenant(services: &Services) -> Vec<TenantId> {
    let tenants = services.store.platform().tenants().await.unwrap_or_else(|error| {
        tracing::warn!(error = %crate::chain(&error), "what other nodes have installed is not known yet");
        Vec::new()
    });
    tenants.into_iter().map(|tenant| tenant.id).collect()
}

/// Why the store cannot be relied upon any more.
async fn failed(host: &Host) -> String {
    loop {
        if let Health::Failed { reason } = host.services.store.health() {
            return reason;
        }
        tokio::time::sleep(HEALTH_EVERY).await;
    }
}
