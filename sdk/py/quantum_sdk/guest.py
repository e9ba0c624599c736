"""The host as a component sees it. Only this module knows the generated bindings, and it is imported while the
component is built: an interface that the manifest does not declare has no module there. A codec is a module too, so
the common ones are imported with it."""

from __future__ import annotations

import builtins
import encodings.ascii
import encodings.latin_1
import encodings.utf_8_sig
import io
import json
import os
import sys
import time
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import BuiltinImporter, FrozenImporter
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


class NotThere(MetaPathFinder):
    """In place of the finders that look for files: there are none once the component runs."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        message = f"{fullname} was not imported while the component was built; import it at the top of the module"
        raise ModuleNotFoundError(message, name=fullname)


def close_doors() -> None:
    """What is not in the component is a mistake with a name, rather than a trap."""
    if any(isinstance(finder, NotThere) for finder in sys.meta_path):
        return
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, NotThere()]

    def no_files(*arguments: Any, **named: Any) -> Any:
        raise OSError("there are no files in the sandbox; use ctx.artifacts")

    builtins.open = io.open = no_files  # type: ignore[assignment]
    for name in ("open", "stat", "lstat", "listdir", "scandir", "mkdir", "remove", "unlink", "rename", "rmdir"):
        setattr(os, name, no_files)
    if "clock" in quantum_build.CAPABILITIES:
        return

    def none(*arguments: Any) -> Any:
        raise RuntimeError('the manifest\'s capabilities do not have "clock": true')

    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep"):
        setattr(time, name, none)


def _check_names(table: dict[str, Any]) -> None:
    """Manifest and module name the same actions: a name that one of them lacks would be found by its first call."""
    for name in quantum_build.ACTIONS:
        if name not in table:
            known = ", ".join(table)
            raise TypeError(f"manifest.json has the action {name!r}, and the module has none of that name; it has {known}")
    for name in table:
        if name not in quantum_build.ACTIONS:
            raise TypeError(f"the module has the action {name!r}, which manifest.json does not have")


def exported(table: dict[str, Any]) -> type:
    """The class that the component exports as `quantum:plugin/actions`."""
    _check_names(table)

    class Actions:
        actions = table

        def run(self, action: str, parameters: str) -> str:
            close_doors()
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
