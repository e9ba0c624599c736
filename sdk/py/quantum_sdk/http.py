"""Requests over HTTP, whole bodies in memory. The standard library's clients do not work in a component."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Mapping
from urllib.parse import urlsplit

from quantum_sdk.failure import Failure

# Bytes of an answer that is taken into memory. Over it: `http-answer-too-large`.
_ANSWER_BYTES_MAX = 8 * 1024 * 1024
# Characters of an answer that an error shows.
_ANSWER_CHARS_SHOWN = 500
_RETRYABLE_STATUS = {408, 425, 429, *range(500, 600)}


@dataclass(frozen=True)
class Request:
    """As it goes to the host."""

    method: str
    tls: bool
    authority: str
    target: str
    headers: list[tuple[str, bytes]]
    body: bytes
    timeout_ms: int | None = None
    answer_bytes_max: int = _ANSWER_BYTES_MAX


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    request: str = ""

    def header(self, name: str) -> str | None:
        """The first of that name, whatever its case."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """Failure `http-invalid-body`: it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Failure.permanent("http-invalid-body", f"{self.request}: the answer is not JSON: {error}") from None

    def error_for_status(self) -> Answer:
        """Itself, unless the status is 400 or above: then a `Failure` such as `http-404`. 408, 425, 429 and 5xx are
        retryable, after what `Retry-After` says in seconds."""
        if self.status < 400:
            return self
        message = f"{self.request}: the answer's status is {self.status}"
        details = {"status": self.status, "answer": self.text()[:_ANSWER_CHARS_SHOWN]}
        retryable = self.status in _RETRYABLE_STATUS
        seconds = self.header("retry-after") or ""
        after_ms = int(seconds) * 1000 if retryable and seconds.isdecimal() else None
        raise Failure(
            f"http-{self.status}", message, details=details, retryable=retryable, after_ms=after_ms
        )


class Http:
    """Redirects are not followed: each hop is a request of yours."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def get(self, url: str, **options: Any) -> Answer:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Answer:
        return self.request("POST", url, **options)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str = b"",
        json_body: Any = None,
        timeout_ms: int | None = None,
    ) -> Answer:
        """The answer, whatever its status. `json_body` is sent as JSON in place of `body`.

        A request that gets no answer is a `Failure`: `http-timeout`, `http-dns` and `http-connection` are retryable,
        `http-tls`, `effect-denied` and others are not.
        """
        pairs = [(name.lower(), value.encode()) for name, value in (headers or {}).items()]
        if json_body is not None:
            body = json.dumps(json_body)
            pairs.append(("content-type", b"application/json"))
        sent = body.encode() if isinstance(body, str) else body
        tls, authority, target = _parts(method, url)
        request = Request(method, tls, authority, target, pairs, sent, timeout_ms)
        try:
            status, answered, content = self._host.send(request)
        except Failure as failure:
            failure.message = f"{method} {url}: {failure.message}"
            raise
        return Answer(status, answered, content, f"{method} {url}")


def _parts(method: str, url: str) -> tuple[bool, str, str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        raise Failure.permanent("http-invalid-request", f"{method} {url}: this is not a URL that can be asked")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme == "https", parts.netloc, target
