"""The host as a component sees it. Only this module knows the generated bindings, and it is imported while the
component is built: an interface that the manifest does not declare has no module there."""

from __future__ import annotations

import json
import time
from importlib import import_module
from typing import Any

import quantum_build
import wit_world
from componentize_py_types import Err
from wit_world.exports import actions as told
from wit_world.imports import context, log

from quantum_sdk.actions import call, capture_output
from quantum_sdk.context import Context
from quantum_sdk.failure import Cancelled, Failure


def _import(name: str) -> Any:
    """None: not declared."""
    try:
        return import_module(f"{wit_world.__name__}.imports.{name}")
    except ModuleNotFoundError:
        return None


class Host:
    """The imported interfaces, under the names that `Context` uses."""

    context = context
    artifacts = _import("artifacts")
    kv = _import("kv")
    secrets = _import("secrets")
    reveal = _import("reveal")
    http = None if _import("outgoing_handler") is None else import_module("quantum_sdk.guest_http").Client()

    @staticmethod
    def write_log(level: str, message: str, fields: list[tuple[str, str]]) -> None:
        log.write(log.Level[level.upper()], message, fields)

    @staticmethod
    def progress(percent: int, message: str) -> None:
        log.progress(percent, message)


def stop_clocks() -> None:
    """Without the capability there is no clock in the component: say so, rather than trap."""

    def none(*arguments: Any) -> Any:
        raise RuntimeError('the manifest\'s capabilities do not have "clock": true')

    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep"):
        setattr(time, name, none)


def exported(table: dict[str, Any]) -> type:
    """The class that the component exports as `quantum:plugin/actions`."""

    class Actions:
        actions = table

        def run(self, action: str, parameters: str) -> str:
            if "clock" not in quantum_build.CAPABILITIES:
                stop_clocks()
            ctx = Context(Host())
            printed = capture_output(ctx)
            try:
                function = table.get(action)
                if function is None:
                    known = ", ".join(table)
                    raise Failure.permanent(
                        "unknown-action", f"the plugin has no action {action!r}; its module has {known}"
                    )
                return call(function, ctx, parameters)
            except Failure as failure:
                raise Err(_told(failure)) from None
            except Cancelled:
                raise Err(told.Failure_Cancelled()) from None
            finally:
                for lines in printed:
                    lines.close_line()

    return Actions


def _told(failure: Failure) -> Any:
    details = None if failure.details is None else json.dumps(failure.details, default=str)
    problem = told.Problem(failure.code, failure.message, details)
    if failure.is_retryable:
        return told.Failure_Retryable((problem, failure.after_ms))
    return told.Failure_Permanent(problem)
