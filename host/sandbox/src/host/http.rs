//! `wasi:http`: the guest's side is wasmtime's; what leaves the host is decided and sent by `egress`.

use std::future::Future;
use std::sync::Arc;

use http::{Request, Response};
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::attempt::CpuMeter;
use crate::egress::AttemptEgress;
use crate::recording::{Tape, recorded, replayed};

/// None: every request is denied (a describing build).
pub(crate) struct HttpHooks {
    egress: Option<Arc<AttemptEgress>>,
    meter: Arc<CpuMeter>,
    tape: Tape,
}

impl HttpHooks {
    pub fn new(egress: Option<Arc<AttemptEgress>>, meter: Arc<CpuMeter>, tape: Tape) -> Self {
        Self { egress, meter, tape }
    }
}

type Done = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(Response<WasiBody>, Done), Error>> + Send>;

impl HttpHooks {
    fn measured(
        &self,
        response: impl Future<Output = Result<Response<WasiBody>, Error>> + Send + 'static,
    ) -> Sent {
        Box::new(self.meter.clone().measure_beside(async move {
            let response = response.await?;
            let done: Done = Box::new(async { Ok(()) });
            Ok((response, done))
        }))
    }
}

impl WasiHttpHooks for HttpHooks {
    fn send_request(&mut self, request: Request<WasiBody>, options: Option<RequestOptions>, _: Done) -> Sent {
        let Some(egress) = self.egress.clone() else {
            return Box::new(async { Err(Error::HttpRequestDenied) });
        };
        let options = options.unwrap_or_default();
        let sending = egress.clone();
        let send = move |request: Request<WasiBody>| async move { sending.send(request, options).await };
        match &self.tape {
            Tape::Off => self.measured(send(request)),
            Tape::Record(recorder) => self.measured(recorded(recorder.clone(), egress, request, send)),
            Tape::Replay(replayer) => self.measured(replayed(replayer.clone(), egress, request)),
        }
    }

    fn p2_error_from_connect(&mut self, error: &std::io::Error) -> ErrorCode {
        match error.kind() {
            std::io::ErrorKind::TimedOut => ErrorCode::ConnectionTimeout,
            std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::NetworkUnreachable => {
                ErrorCode::DestinationUnavailable
            }
            _ => ErrorCode::ConnectionRefused,
        }
    }

    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        if error.is_timeout() {
            return ErrorCode::ConnectionReadTimeout;
        }
        if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            return ErrorCode::ConnectionTerminated;
        }
        ErrorCode::HttpProtocolError
    }

    fn p2_error_from_tls(&mut self, _: &std::io::Error) -> ErrorCode {
        ErrorCode::TlsProtocolError
    }
}
