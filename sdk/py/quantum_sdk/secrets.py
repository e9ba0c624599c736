"""Secrets: the plugin gets placeholders, and the host puts the values into requests."""

from __future__ import annotations

from typing import Any

from quantum_sdk.failure import Failure, told_by_host


class Secrets:
    """What the host refuses is a `Failure`: `secret-undeclared`, `secret-denied`, `secret-missing`."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def placeholder(self, name: str) -> str:
        """Stands for the value in a header of a request, or where else the manifest declares."""
        return told_by_host("secret", self._used().placeholder, name)

    def bearer(self, name: str) -> str:
        """A whole `Authorization` value."""
        return f"Bearer {self.placeholder(name)}"

    def basic(self, user: str, name: str) -> str:
        """A whole `Authorization` value, with the secret as the password."""
        return told_by_host("secret", self._used().basic, user, name)

    def hmac_sha256(self, name: str, data: bytes) -> bytes:
        """32 bytes: a signature of the data under the secret."""
        return told_by_host("secret", self._used().hmac_sha256, name, data)

    def reveal(self, name: str) -> str:
        """The value itself: a capability of its own."""
        if self._host.reveal is None:
            message = 'the manifest\'s capabilities do not have "reveal": ["NAME"]'
            raise Failure.permanent("capability-undeclared", message)
        return told_by_host("secret", self._host.reveal.reveal, name)

    def _used(self) -> Any:
        if self._host.secrets is None:
            message = 'the manifest\'s capabilities do not have "secrets": [{"name": "NAME"}]'
            raise Failure.permanent("capability-undeclared", message)
        return self._host.secrets
