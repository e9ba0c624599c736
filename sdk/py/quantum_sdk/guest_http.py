"""One exchange through `wasi:http`: the head, the body, and the answer. Resources are released in the order in which
they belong to each other."""

from __future__ import annotations

from typing import Any

from componentize_py_types import Err, Ok
from wit_world.imports import outgoing_handler, streams
from wit_world.imports import types as http

from quantum_sdk.failure import Failure
from quantum_sdk.http import Request

# Bytes that the host takes at once.
_WRITE_BYTES = 4096
_READ_BYTES = 64 * 1024

# Code, whether another attempt may help, and words, by the name of the host's error.
_ERRORS = {
    "DnsTimeout": ("http-dns", True, "the name does not resolve"),
    "DnsError": ("http-dns", True, "the name does not resolve"),
    "ConnectionTimeout": ("http-timeout", True, "no connection in time"),
    "ConnectionReadTimeout": ("http-timeout", True, "no byte in time"),
    "ConnectionWriteTimeout": ("http-timeout", True, "no byte in time"),
    "HttpResponseTimeout": ("http-timeout", True, "no answer in time"),
    "DestinationNotFound": ("http-connection", True, "not reachable"),
    "DestinationUnavailable": ("http-connection", True, "not reachable"),
    "ConnectionRefused": ("http-connection", True, "the connection was refused"),
    "ConnectionTerminated": ("http-connection", True, "the connection broke"),
    "ConnectionLimitReached": ("http-connection", True, "too many connections"),
    "DestinationIpUnroutable": ("http-connection", True, "no route"),
    "DestinationIpProhibited": ("effect-denied", False, "the host does not allow this address"),
    "HttpRequestDenied": ("effect-denied", False, "the host does not allow this request"),
    "TlsProtocolError": ("http-tls", False, "the TLS handshake failed"),
    "TlsCertificateError": ("http-tls", False, "the certificate is not trusted"),
    "TlsAlertReceived": ("http-tls", False, "the other side refused the TLS handshake"),
    "HttpResponseBodySize": ("http-answer-too-large", False, "the answer is larger than the host allows"),
    "HttpRequestUriInvalid": ("http-invalid-request", False, "the URL is not valid"),
    "HttpRequestMethodInvalid": ("http-invalid-request", False, "the method is not valid"),
    "HttpRequestBodySize": ("http-invalid-request", False, "the body is larger than the host allows"),
}
_METHODS = {
    "GET": http.Method_Get,
    "HEAD": http.Method_Head,
    "POST": http.Method_Post,
    "PUT": http.Method_Put,
    "DELETE": http.Method_Delete,
    "CONNECT": http.Method_Connect,
    "OPTIONS": http.Method_Options,
    "TRACE": http.Method_Trace,
    "PATCH": http.Method_Patch,
}


class Client:
    """What `quantum_sdk.http.Http` sends with."""

    def send(self, request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
        try:
            return _exchange(request)
        except Err as error:
            raise _failure(error.value) from None


def _exchange(request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
    outgoing = _head(request)
    body = outgoing.body() if request.body else None
    with outgoing_handler.handle(outgoing, _options(request)) as future:
        if body is not None:
            _send(body, request.body)
        with future.subscribe() as ready:
            ready.block()
        answered = future.get()
        if not isinstance(answered, Ok):
            raise Failure.permanent("http-protocol", "a part of the exchange is lost")
        if isinstance(answered.value, Err):
            raise answered.value
        with answered.value.value as response:
            return _answer(response, request.answer_bytes_max)


def _head(request: Request) -> Any:
    try:
        fields = http.Fields.from_list(request.headers)
    except Err as error:
        word = type(error.value).__name__.removeprefix("HeaderError_")
        raise Failure.permanent("http-invalid-request", f"a header cannot be sent: {word}") from None
    outgoing = http.OutgoingRequest(fields)
    method = _METHODS.get(request.method, lambda: http.Method_Other(request.method))()
    outgoing.set_method(method)
    outgoing.set_scheme(http.Scheme_Https() if request.tls else http.Scheme_Http())
    outgoing.set_authority(request.authority)
    outgoing.set_path_with_query(request.target)
    return outgoing


def _options(request: Request) -> Any:
    if request.timeout_ms is None:
        return None
    options = http.RequestOptions()
    nanoseconds = request.timeout_ms * 1_000_000
    options.set_connect_timeout(nanoseconds)
    options.set_first_byte_timeout(nanoseconds)
    options.set_between_bytes_timeout(nanoseconds)
    return options


def _send(body: Any, bytes: bytes) -> None:
    with body.write() as stream:
        for start in range(0, len(bytes), _WRITE_BYTES):
            stream.blocking_write_and_flush(bytes[start : start + _WRITE_BYTES])
    http.OutgoingBody.finish(body, None)


def _answer(response: Any, bytes_max: int) -> tuple[int, list[tuple[str, str]], bytes]:
    with response.headers() as fields:
        headers = [(name, value.decode(errors="replace")) for name, value in fields.entries()]
    all = bytearray()
    with response.consume() as body, body.stream() as stream:
        while len(all) <= bytes_max:
            try:
                all += stream.blocking_read(_READ_BYTES)
            except Err as error:
                if isinstance(error.value, streams.StreamError_Closed):
                    return response.status(), headers, bytes(all)
                raise
    raise Failure.permanent("http-answer-too-large", f"the answer has more than {bytes_max} bytes")


def _failure(error: Any) -> Failure:
    """Of an error code of `wasi:http`, or of a stream that broke."""
    name = type(error).__name__.removeprefix("ErrorCode_")
    if name == "InternalError" and error.value:
        return Failure("http-protocol", error.value, retryable=True)
    if name.startswith("StreamError"):
        return Failure("http-connection", "the connection broke", retryable=True)
    code, retryable, words = _ERRORS.get(name, ("http-protocol", True, "the exchange failed"))
    return Failure(code, words, retryable=retryable)
