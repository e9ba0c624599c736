//! The body of a request with values put in. A short one whose length is announced is held whole: its length is
//! corrected, and a denial comes before a byte of it leaves. A longer one is filled as it streams; when it is denied its
//! connection is cut, so that no server takes it for complete.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::{Error, WasiBody};

use super::denial::Denial;
use super::fill::{BodyForm, Filler, Spot};
use crate::secret::Finder;

/// Bytes of an announced body that is held whole. Over it the length is not announced when a secret may be put in.
const HELD_BYTES_MAX: u64 = 64 * 1024;

/// Takes the denial of a body; what is returned is what the body fails with.
pub(crate) type Deny = Arc<dyn Fn(Denial) -> Error + Send + Sync>;

/// Fills what is held, or wraps what streams. The headers are changed to fit.
pub(crate) async fn fill_body(
    filler: Arc<Filler>,
    headers: &mut HeaderMap,
    body: WasiBody,
    deny: Deny,
) -> Result<WasiBody, Error> {
    if filler.is_idle() || body.is_end_stream() {
        return Ok(body);
    }
    let form = BodyForm::of(headers);
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_none_or(|bytes| bytes > HELD_BYTES_MAX) {
        if filler.fills_bodies() {
            headers.remove(CONTENT_LENGTH);
        }
        let streamed = Streamed { body, filler, form, finder: Finder::default(), trailers: None, deny };
        return Ok(streamed.boxed_unsync());
    }
    let held = body.collect().await?.to_bytes();
    let filled = filler.text(&held, Spot::Body(form)).map_err(|denial| deny(denial))?;
    let bytes = filled.map_or(held, Bytes::from);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    Ok(Full::new(bytes).map_err(|never| match never {}).boxed_unsync())
}

struct Streamed {
    body: WasiBody,
    filler: Arc<Filler>,
    form: BodyForm,
    finder: Finder,
    /// They wait for what was held back of the body.
    trailers: Option<Frame<Bytes>>,
    deny: Deny,
}

impl Streamed {
    fn fill(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Denial> {
        match frame.into_data() {
            Ok(part) => {
                let Self { filler, form, finder, .. } = self;
                let mut stand = |placeholder: &str| filler.stand(placeholder, Spot::Body(*form));
                let filled = finder.part(&part, &mut stand)?;
                Ok(Frame::data(filled.map_or(part, Bytes::from)))
            }
            Err(frame) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.filler.trailers(trailers)?;
                }
                let rest = self.finder.end();
                if rest.is_empty() {
                    return Ok(frame);
                }
                self.trailers = Some(frame);
                Ok(Frame::data(rest.into()))
            }
        }
    }
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(trailers) = self.trailers.take() {
            return Poll::Ready(Some(Ok(trailers)));
        }
        loop {
            let frame = match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => frame,
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => {
                    let rest = self.finder.end();
                    return Poll::Ready((!rest.is_empty()).then(|| Ok(Frame::data(rest.into()))));
                }
            };
            match self.fill(frame) {
                // All of it is held back; an empty part would look like the end.
                Ok(frame) if frame.data_ref().is_some_and(Bytes::is_empty) => {}
                Ok(frame) => return Poll::Ready(Some(Ok(frame))),
                Err(denial) => return Poll::Ready(Some(Err((self.deny)(denial)))),
            }
        }
    }
}
