"""How an action ends without a result."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

T = TypeVar("T")


class Failure(Exception):
    """Ends the action with a code that programs rely on, and a message for people.

    `code` is kebab-case. A `retryable` failure may be tried again, not before `after_ms` milliseconds. `details` is
    anything that JSON takes.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Any = None,
        retryable: bool = False,
        after_ms: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details
        self.is_retryable = retryable
        self.after_ms = after_ms

    @classmethod
    def permanent(cls, code: str, message: str, *, details: Any = None) -> Failure:
        """Trying again is of no use."""
        return cls(code, message, details=details)

    @classmethod
    def retryable(
        cls, code: str, message: str, after_ms: int | None = None, *, details: Any = None
    ) -> Failure:
        """Another attempt may help, when `after_ms` milliseconds have passed."""
        return cls(code, message, details=details, retryable=True, after_ms=after_ms)


class Cancelled(Exception):
    """Ends the action because its execution is being cancelled."""


def told_by_host(kind: str, call: Callable[..., T], *arguments: Any) -> T:
    """Calls the host. What it refuses is a failure with the code `kind` and then the host's own.

    The bindings raise an exception with the host's record in `value`; nothing else that they raise has one.
    """
    try:
        return call(*arguments)
    except Exception as error:
        value = getattr(error, "value", None)
        code = getattr(value, "code", None)
        if code is None:
            raise
        retryable = getattr(value, "retryable", code == "unavailable")
        raise Failure(f"{kind}-{code}", value.message, retryable=retryable) from None
