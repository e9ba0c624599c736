"""Write actions for Quantum in Python.

An action is a function from a context and parameters (what JSON gives) to a result (what JSON takes). A module lists
its actions, and the class it gets is what the component exports:

    from quantum_sdk import Context, Failure, action, plugin

    @action
    def greet(ctx: Context, p: dict) -> dict:
        if not p["name"]:
            raise Failure.permanent("no-name", "the name is empty")
        ctx.log.info("greeting", name=p["name"])
        return {"text": f"Hello, {p['name']}!"}

    Actions = plugin(greet)

Import everything that an action needs at the top of the module: the component holds what was imported while it was
built, and has no files to import from later.
"""

from quantum_sdk.actions import action, plugin
from quantum_sdk.context import Context
from quantum_sdk.failure import Cancelled, Failure

__all__ = ["Cancelled", "Context", "Failure", "action", "plugin"]
