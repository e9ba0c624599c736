"""Artifacts: bytes between steps and from outside, addressed by their content, read and written as streams."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from quantum_sdk.failure import told_by_host

# Bytes of one piece: what one call moves into the component's memory.
_PIECE_BYTES = 256 * 1024


@dataclass(frozen=True)
class Info:
    """`digest` is `sha256:` and 64 hex digits, `size` in bytes."""

    digest: str
    size: int
    media_type: str | None

    def as_json(self) -> dict[str, Any]:
        """For an action's result."""
        return {"digest": self.digest, "size": self.size, "media_type": self.media_type}


class Artifacts:
    """A reference is a digest, a name of this execution, or a name of the tenant, looked for in this order.

    What the host refuses is a `Failure`: `artifact-missing`, `artifact-denied`, `artifact-too-large` and others.
    """

    def __init__(self, host: Any) -> None:
        self._host = host

    def stat(self, reference: str) -> Info | None:
        """None: there is no such artifact."""
        info = told_by_host("artifact", self._host.stat, reference)
        return None if info is None else Info(info.digest, info.size, info.media_type)

    def open(self, reference: str, offset: int = 0) -> io.BufferedReader:
        """Reads it as a binary file; for text, put an `io.TextIOWrapper` around it."""
        reader = told_by_host("artifact", self._host.open, reference, offset)
        return io.BufferedReader(Reader(reader), _PIECE_BYTES)

    def put(self, bytes: bytes, *, name: str | None = None, media_type: str | None = None) -> Info:
        """Stores it whole. A name lives in the execution, where later steps find it."""
        with self.create(media_type) as writer:
            writer.write(bytes)
            return writer.finish(name)

    def create(self, media_type: str | None = None) -> Writer:
        """Stores it piece by piece. Nothing is kept before `Writer.finish`."""
        return Writer(told_by_host("artifact", self._host.create, media_type))


class Reader(io.RawIOBase):
    """An artifact as a raw file, read in order."""

    def __init__(self, host: Any) -> None:
        super().__init__()
        self._host = host

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if len(buffer) == 0:
            return 0
        piece = told_by_host("artifact", self._host.read, min(len(buffer), _PIECE_BYTES))
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._host.__exit__(None, None, None)
        super().close()


class Writer:
    """Takes the bytes of one artifact in order; use it in a `with`."""

    def __init__(self, host: Any) -> None:
        self._host = host

    def write(self, bytes: bytes) -> int:
        view = memoryview(bytes)
        for start in range(0, len(view), _PIECE_BYTES):
            told_by_host("artifact", self._host.write, view[start : start + _PIECE_BYTES].tobytes())
        return len(view)

    def finish(self, name: str | None = None) -> Info:
        info = told_by_host("artifact", self._host.finish, name)
        return Info(info.digest, info.size, info.media_type)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: Any) -> None:
        self._host.__exit__(None, None, None)
