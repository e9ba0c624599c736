"""Small values that a plugin keeps between executions, of its own in each tenant."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from quantum_sdk.failure import told_by_host


@dataclass(frozen=True)
class Entry:
    """`revision` changes with every write."""

    value: bytes
    revision: int

    def json(self) -> Any:
        return json.loads(self.value)


class KeyValues:
    """What the host refuses is a `Failure`: `kv-too-large`, `kv-quota`, `kv-invalid-key` and others."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def get(self, key: str) -> Entry | None:
        """None: never written, deleted, or over its time."""
        entry = told_by_host("kv", self._host.get, key)
        return None if entry is None else Entry(entry.value, entry.revision)

    def set(self, key: str, value: bytes | str, *, ttl_ms: int | None = None) -> int:
        """Gives the new revision. After `ttl_ms` milliseconds the value is gone."""
        return told_by_host("kv", self._host.set, key, _bytes(value), ttl_ms)

    def compare_and_set(
        self, key: str, expected: int | None, value: bytes | str, *, ttl_ms: int | None = None
    ) -> int | None:
        """Writes only when the stored revision is `expected` (None: only when absent). None: it was not."""
        return told_by_host("kv", self._host.compare_and_set, key, expected, _bytes(value), ttl_ms)

    def delete(self, key: str) -> None:
        told_by_host("kv", self._host.delete, key)


def _bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value
