"""Every part of the helper, as a component uses it."""

import io
import random
import time

from quantum_sdk import Context, Failure, action, plugin


@action
def exercise(ctx: Context, p: dict) -> dict:
    seen = ctx.kv.get("seen")
    count = (seen.json() if seen else 0) + 1
    if ctx.kv.compare_and_set("seen", seen.revision if seen else None, str(count)) is None:
        raise Failure.retryable("raced", "somebody else wrote")
    with io.TextIOWrapper(ctx.artifacts.open("names"), "utf-8-sig") as lines:
        names = [line.strip() for line in lines]
    note = ctx.artifacts.put(", ".join(names).encode(), name="note", media_type="text/plain")
    print("names:", *names)
    answer = ctx.http.post(
        f"{p['service']}/notes?n=1",
        json_body={"note": note.digest},
        headers={"Authorization": ctx.secrets.bearer("TOKEN"), "X-Basic": ctx.secrets.basic("ada", "TOKEN")},
    ).error_for_status()
    return {
        "count": count,
        "names": names,
        "size": note.size,
        "made": answer.json()["made"],
        "large": len(ctx.http.get(f"{p['service']}/large").body),
        "signature": ctx.secrets.hmac_sha256("TOKEN", b"data").hex(),
        "code": ctx.secrets.reveal("CODE"),
        "config": ctx.config,
        "attempt": ctx.attempt,
        "in_time": 0 < ctx.deadline_ms / 1000 - time.time() < 60,
        "chance": 0 <= random.SystemRandom().random() < 1,
    }


@action
def fetch(ctx: Context, p: dict) -> dict:
    answer = ctx.http.get(p["url"], timeout_ms=5000)
    return {"status": answer.error_for_status().status}


@action
def mistake(ctx: Context, p: dict) -> dict:
    print("before the mistake", end="")
    if p["kind"] == "import":
        import statistics

        return {"mean": statistics.mean([1])}
    if p["kind"] == "file":
        with open("/etc/hosts") as file:
            return {"lines": len(file.readlines())}
    return {"value": p["missing"]}


@action
def forget(ctx: Context, p: dict) -> dict:
    ctx.kv.delete("seen")
    ctx.kv.set("other", b"kept", ttl_ms=60_000)
    ctx.artifacts.open(p["artifact"])
    return {}


Actions = plugin(exercise, fetch, mistake, forget)
