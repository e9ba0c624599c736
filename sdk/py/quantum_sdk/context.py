"""What a running action knows about itself, and how it reaches the host."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from quantum_sdk.artifacts import Artifacts
from quantum_sdk.failure import Cancelled, Failure
from quantum_sdk.http import Http
from quantum_sdk.kv import KeyValues
from quantum_sdk.secrets import Secrets


class Log:
    """Lines for whoever follows the execution. Fields are anything that JSON takes."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def debug(self, message: str, **fields: Any) -> None:
        self._line("debug", message, fields)

    def info(self, message: str, **fields: Any) -> None:
        self._line("info", message, fields)

    def warn(self, message: str, **fields: Any) -> None:
        self._line("warn", message, fields)

    def error(self, message: str, **fields: Any) -> None:
        self._line("error", message, fields)

    def _line(self, level: str, message: str, fields: dict[str, Any]) -> None:
        pairs = [(name, json.dumps(value, ensure_ascii=False, default=str)) for name, value in fields.items()]
        self._host.write_log(level, message, pairs)


class Context:
    """The first argument of every action."""

    def __init__(self, host: Any) -> None:
        self._host = host
        self.log = Log(host)

    def progress(self, percent: int, message: str = "") -> None:
        """Tells how far the action is, in percent."""
        self._host.progress(max(0, min(100, percent)), message)

    @cached_property
    def config(self) -> Any:
        """The installation's configuration; it fits the manifest's `config`."""
        return json.loads(self._host.context.config())

    @property
    def execution(self) -> str:
        return self._host.context.execution()

    @property
    def step(self) -> str:
        return self._host.context.step()

    @property
    def attempt(self) -> int:
        """Which try of the step this is, from 1."""
        return self._host.context.attempt()

    @property
    def idempotency_key(self) -> str:
        """The same for all attempts of the step: hand it to services that take one."""
        return self._host.context.idempotency_key()

    @property
    def deadline_ms(self) -> int | None:
        """Milliseconds since the Unix epoch."""
        return self._host.context.deadline()

    @property
    def dry_run(self) -> bool:
        return self._host.context.dry_run()

    @property
    def trace_parent(self) -> str | None:
        """W3C `traceparent`."""
        return self._host.context.trace_parent()

    @property
    def cancelled(self) -> bool:
        """True once the execution is being cancelled."""
        return self._host.context.cancelled()

    def stop_if_cancelled(self) -> None:
        """Call it in long work: it ends the action when the execution is being cancelled."""
        if self.cancelled:
            raise Cancelled()

    @property
    def artifacts(self) -> Artifacts:
        """Needs `"artifacts": true` in the manifest's capabilities."""
        return Artifacts(self._part("artifacts", '"artifacts": true'))

    @property
    def kv(self) -> KeyValues:
        """Needs `"kv": true`."""
        return KeyValues(self._part("kv", '"kv": true'))

    @property
    def secrets(self) -> Secrets:
        """Needs `"secrets": [{"name": "NAME"}]`, or `"reveal": ["NAME"]` for `reveal`."""
        return Secrets(self._host)

    @property
    def http(self) -> Http:
        """Needs `"http": {"hosts": [...]}` or `"http": {"slots": [...]}`, and with it `clock` and `random`."""
        return Http(self._part("http", '"http": {"hosts": ["https://api.example.com"]}'))

    def _part(self, name: str, declaration: str) -> Any:
        return declared(self._host, name, declaration)


def declared(host: Any, name: str, declaration: str) -> Any:
    """The part of the host. What the manifest does not declare is not in the component."""
    part = getattr(host, name)
    if part is None:
        message = f"the manifest's capabilities do not have {declaration}"
        raise Failure.permanent("capability-undeclared", message)
    return part
