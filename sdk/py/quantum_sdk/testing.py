"""A host for native tests: `python3 -m unittest`, without a sandbox and without a component.

    host = Host(config={"region": "north"})
    self.assertEqual(host.run(greet, {"name": "Ada"}), {"text": "Hello, Ada!"})
    self.assertEqual(host.logs[0].fields, {"name": "Ada"})
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from quantum_sdk.actions import call
from quantum_sdk.context import Context
from quantum_sdk.failure import Failure
from quantum_sdk.http import Request


@dataclass(frozen=True)
class Line:
    """A line of the log."""

    level: str
    message: str
    fields: dict[str, Any]


@dataclass
class Facts:
    """What the context tells. The names are those of the interface `quantum:context`."""

    values: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return lambda: self.values[name]


class Host:
    """Everything is declared: what a manifest leaves out shows in the cases of the sandbox."""

    def __init__(
        self,
        *,
        config: Any = None,
        artifacts: dict[str, bytes] | None = None,
        kv: dict[str, bytes] | None = None,
        secrets: dict[str, str] | None = None,
        attempt: int = 1,
        dry_run: bool = False,
        cancelled: bool = False,
        deadline_ms: int | None = None,
    ) -> None:
        self.logs: list[Line] = []
        self.progressed: list[tuple[int, str]] = []
        self.context = Facts(
            {
                "config": json.dumps({} if config is None else config),
                "execution": "0198c0de-0000-7000-8000-000000000000",
                "step": "test",
                "attempt": attempt,
                "idempotency_key": "test-key",
                "deadline": deadline_ms,
                "dry_run": dry_run,
                "trace_parent": None,
                "cancelled": cancelled,
            }
        )
        self.artifacts = FakeArtifacts(artifacts or {})
        self.kv = FakeKeyValues(kv or {})
        self.secrets = FakeSecrets(secrets or {})
        self.reveal = self.secrets
        self.http = FakeHttp()

    def run(self, function: Any, parameters: Any) -> Any:
        """The whole way from JSON to JSON; what the action raises is a `Failure` or `Cancelled`."""
        return json.loads(call(function, Context(self), json.dumps(parameters)))

    def answer(self, method: str, url: str, status: int, body: bytes | str = b"", **headers: str) -> None:
        """Scripts the answer to a request; several for the same one are given in order."""
        sent = body.encode() if isinstance(body, str) else body
        pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
        self.http.script.append((f"{method} {url}", (status, pairs, sent)))

    def write_log(self, level: str, message: str, fields: list[tuple[str, str]]) -> None:
        self.logs.append(Line(level, message, {name: json.loads(text) for name, text in fields}))

    def progress(self, percent: int, message: str) -> None:
        self.progressed.append((percent, message))


@dataclass
class Told(Exception):
    """As the bindings raise what the host refuses."""

    value: Any


@dataclass
class Refusal:
    code: str
    message: str
    retryable: bool = False


@dataclass
class FakeInfo:
    digest: str
    size: int
    media_type: str | None


@dataclass
class FakeArtifacts:
    """`known` are the tenant's, `stored` what the action stored, both by name."""

    known: dict[str, bytes]
    stored: dict[str, bytes] = field(default_factory=dict)
    media_types: dict[str, str | None] = field(default_factory=dict)

    def stat(self, reference: str) -> FakeInfo | None:
        content = self._find(reference)
        return None if content is None else self._info(content)

    def open(self, reference: str, offset: int) -> FakeReader:
        content = self._find(reference)
        if content is None:
            raise Told(Refusal("missing", f'there is no artifact "{reference}"'))
        return FakeReader(content[offset:])

    def create(self, media_type: str | None) -> FakeWriter:
        return FakeWriter(self, media_type)

    def _find(self, reference: str) -> bytes | None:
        for content in [*self.stored.values(), *self.known.values()]:
            if _digest(content) == reference:
                return content
        return self.stored.get(reference, self.known.get(reference))

    def _info(self, content: bytes) -> FakeInfo:
        digest = _digest(content)
        return FakeInfo(digest, len(content), self.media_types.get(digest))


class FakeReader:
    def __init__(self, content: bytes) -> None:
        self._left = content

    def read(self, max: int) -> bytes:
        piece, self._left = self._left[:max], self._left[max:]
        return piece

    def __exit__(self, *error: Any) -> None:
        self._left = b""


class FakeWriter:
    def __init__(self, artifacts: FakeArtifacts, media_type: str | None) -> None:
        self._artifacts = artifacts
        self._media_type = media_type
        self._content = b""

    def write(self, bytes: bytes) -> None:
        self._content += bytes

    def finish(self, name: str | None) -> FakeInfo:
        digest = _digest(self._content)
        self._artifacts.media_types[digest] = self._media_type
        self._artifacts.stored[name or digest] = self._content
        return self._artifacts._info(self._content)

    def __exit__(self, *error: Any) -> None:
        self._content = b""


@dataclass
class FakeEntry:
    value: bytes
    revision: int


class FakeKeyValues:
    def __init__(self, known: dict[str, bytes]) -> None:
        self._revision = 0
        self.entries: dict[str, FakeEntry] = {}
        for key, value in known.items():
            self.set(key, value, None)

    def get(self, key: str) -> FakeEntry | None:
        return self.entries.get(key)

    def set(self, key: str, value: bytes, ttl: int | None) -> int:
        self._revision += 1
        self.entries[key] = FakeEntry(value, self._revision)
        return self._revision

    def compare_and_set(self, key: str, expected: int | None, value: bytes, ttl: int | None) -> int | None:
        known = self.entries.get(key)
        if (None if known is None else known.revision) != expected:
            return None
        return self.set(key, value, ttl)

    def delete(self, key: str) -> None:
        self.entries.pop(key, None)


class FakeSecrets:
    """A placeholder is `{{NAME}}` here, so that a test can look for it in requests."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known

    def placeholder(self, name: str) -> str:
        self.reveal(name)
        return "{{" + name + "}}"

    def basic(self, user: str, name: str) -> str:
        return f"Basic {user}:{self.placeholder(name)}"

    def hmac_sha256(self, name: str, data: bytes) -> bytes:
        value = self.reveal(name)
        encoded = next((value[len(p) :] for p in ("whsec_", "base64:") if value.startswith(p)), None)
        key = value.encode() if encoded is None else base64.b64decode(encoded)
        return hmac.new(key, data, hashlib.sha256).digest()

    def reveal(self, name: str) -> str:
        if name not in self._known:
            raise Told(Refusal("missing", f"the secret {name} is not stored"))
        return self._known[name]


class FakeHttp:
    """`requests` is what was sent."""

    def __init__(self) -> None:
        self.script: list[tuple[str, tuple[int, list[tuple[str, str]], bytes]]] = []
        self.requests: list[Request] = []

    def send(self, request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
        scheme = "https" if request.tls else "http"
        asked = f"{request.method} {scheme}://{request.authority}{request.target}"
        self.requests.append(request)
        for at, (known, answer) in enumerate(self.script):
            if known == asked:
                del self.script[at]
                return answer
        raise Failure.permanent("http-unscripted", f"no answer is scripted for {asked}")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
