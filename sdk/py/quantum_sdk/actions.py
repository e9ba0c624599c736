"""From functions to the class that a component exports."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any, Callable

from quantum_sdk.context import Context
from quantum_sdk.failure import Cancelled, Failure

Function = Callable[[Context, Any], Any]

# Lines of a traceback in a failure's details: its innermost calls.
_TRACEBACK_LINES = 8

# Of a function's code: it takes any number of arguments.
_VARIABLE = 0x04


def action(function: Function | None = None, *, name: str | None = None) -> Any:
    """Makes an action of a function. It is called `name`, or as the function with `-` for `_`."""

    def mark(function: Function) -> Function:
        function.action_name = name or function.__name__.replace("_", "-")  # type: ignore[attr-defined]
        return function

    return mark(function) if function is not None else mark


def plugin(*functions: Function) -> type:
    """The class `Actions` of a module: assign it to that name."""
    table = {}
    for function in functions:
        name = getattr(function, "action_name", None)
        if name is None:
            raise TypeError(f"{function.__name__} is no action: write @action above it")
        if not _takes_two(function):
            raise TypeError(f"{function.__name__} is called with a context and parameters: def {function.__name__}(ctx, p)")
        if name in table:
            raise TypeError(f"two actions are called {name}")
        table[name] = function
    try:
        from quantum_sdk import guest
    except ModuleNotFoundError as error:
        # Outside of a component there are no bindings, and nobody makes an instance of this class.
        if error.name not in ("quantum_build", "wit_world"):
            raise
        return type("Actions", (), {"actions": table})
    return guest.exported(table)


def _takes_two(function: Function) -> bool:
    """Of what is no plain function nothing is known."""
    code = getattr(function, "__code__", None)
    if code is None:
        return True
    most = 2 if code.co_flags & _VARIABLE else code.co_argcount
    return code.co_argcount - len(function.__defaults__ or ()) <= 2 <= most


def call(function: Function, ctx: Context, parameters: str) -> str:
    """Runs the function from JSON text to JSON text. Only `Failure` and `Cancelled` come out of it."""
    try:
        result = function(ctx, json.loads(parameters))
    except (Failure, Cancelled):
        raise
    except BaseException as error:
        raise unexpected(error) from error
    try:
        return json.dumps(result, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Failure.permanent("exception", f"the action gives what JSON does not take: {error}") from error


def unexpected(error: BaseException) -> Failure:
    """What an exception that nobody caught is: a mistake in the plugin, with its place."""
    # Not `extract_tb`: it looks for the sources, and a component has no files.
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    inner = [(code, line) for code, line in frames if "/quantum_sdk/" not in code.co_filename]
    places = [f"{code.co_filename}:{line} in {code.co_name}" for code, line in inner]
    place = f" ({inner[-1][0].co_filename}:{inner[-1][1]})" if inner else ""
    message = f"{type(error).__name__}: {error}{place}"
    return Failure.permanent("exception", message, details={"traceback": places[-_TRACEBACK_LINES:]})


class Lines:
    """In place of `sys.stdout` and `sys.stderr`: each line that is printed becomes a line of the log."""

    encoding = "utf-8"

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._open = ""

    def write(self, text: str) -> int:
        *lines, self._open = (self._open + text).split("\n")
        for line in lines:
            self._write(line)
        return len(text)

    def flush(self) -> None:
        """A line is written when it ends."""

    def close_line(self) -> None:
        """Writes what was printed without a line's end."""
        if self._open:
            self._write(self._open)
            self._open = ""

    def isatty(self) -> bool:
        return False


def capture_output(ctx: Context) -> list[Lines]:
    """From now on what is printed goes to the log."""
    out, err = Lines(ctx.log.info), Lines(ctx.log.warn)
    sys.stdout, sys.stderr = out, err  # type: ignore[assignment]
    return [out, err]
