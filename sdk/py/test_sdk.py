"""The helper as plugins use it, without a component."""

import io
import json
import sys
import unittest

from quantum_sdk import Cancelled, Context, Failure, action, plugin
from quantum_sdk.actions import Lines
from quantum_sdk.testing import Host


@action
def echo_twice(ctx: Context, p: dict) -> dict:
    ctx.log.info("echo", text=p["text"])
    ctx.progress(250, "done")
    return {"text": p["text"] * 2, "region": ctx.config.get("region")}


class Actions(unittest.TestCase):
    def test_an_action_goes_from_json_to_json_and_is_logged(self):
        host = Host(config={"region": "north"})
        self.assertEqual(host.run(echo_twice, {"text": "é"}), {"text": "éé", "region": "north"})
        self.assertEqual((host.logs[0].message, host.logs[0].fields), ("echo", {"text": "é"}))
        self.assertEqual(host.progressed, [(100, "done")])

    def test_actions_are_named_after_their_functions_and_once(self):
        @action(name="echo-twice")
        def other(ctx, p):
            return None

        self.assertEqual(list(plugin(echo_twice).actions), ["echo-twice"])
        with self.assertRaisesRegex(TypeError, "two actions are called echo-twice"):
            plugin(echo_twice, other)
        with self.assertRaisesRegex(TypeError, "len is no action: write @action above it"):
            plugin(len)

    def test_an_action_takes_a_context_and_parameters(self):
        @action
        def alone(p):
            return p

        @action
        def more(ctx, p, q):
            return p

        for function in (alone, more):
            with self.assertRaisesRegex(TypeError, rf"def {function.__name__}\(ctx, p\)"):
                plugin(function)

        @action
        def defaults(ctx, p, q=1):
            return p

        @action
        def starred(*arguments):
            return arguments[1]

        self.assertEqual(list(plugin(defaults, starred).actions), ["defaults", "starred"])

    def test_an_exception_that_nobody_caught_is_a_failure_with_its_place(self):
        @action
        def wrong(ctx, p):
            return p["missing"]

        with self.assertRaises(Failure) as raised:
            Host().run(wrong, {})
        failure = raised.exception
        self.assertEqual((failure.code, failure.is_retryable), ("exception", False))
        self.assertRegex(failure.message, r"^KeyError: 'missing' \(.*test_sdk\.py:\d+\)$")
        self.assertIn(" in wrong", failure.details["traceback"][-1])

    def test_a_result_that_is_not_json_is_a_failure_too(self):
        @action
        def strange(ctx, p):
            return {"n": float("nan") if p["nan"] else object()}

        for nan, words in [(True, "what JSON does not take: Out of range"), (False, "not JSON serializable")]:
            with self.assertRaisesRegex(Failure, words):
                Host().run(strange, {"nan": nan})

    def test_leaving_the_process_is_a_failure_and_cancelling_is_not(self):
        @action
        def leave(ctx, p):
            ctx.stop_if_cancelled()
            sys.exit(3)

        with self.assertRaisesRegex(Failure, "SystemExit: 3"):
            Host().run(leave, {})
        with self.assertRaises(Cancelled):
            Host(cancelled=True).run(leave, {})

    def test_what_is_printed_becomes_lines(self):
        lines = []
        out = Lines(lines.append)
        print("one\ntwo", file=out)
        print("three", end="", file=out)
        self.assertEqual(lines, ["one", "two"])
        out.close_line()
        self.assertEqual(lines, ["one", "two", "three"])


class Effects(unittest.TestCase):
    def test_artifacts_are_read_and_written_as_files(self):
        host = Host(artifacts={"names": b"Ada\nGrace\n"})
        artifacts = Context(host).artifacts
        with io.TextIOWrapper(artifacts.open("names", 4)) as lines:
            self.assertEqual([line.strip() for line in lines], ["Grace"])
        info = artifacts.put(b"hi", name="note", media_type="text/plain")
        self.assertEqual((info.size, info.media_type), (2, "text/plain"))
        self.assertTrue(info.digest.startswith("sha256:8f434346"))
        self.assertEqual(artifacts.stat("note"), info)
        self.assertEqual(host.artifacts.stored, {"note": b"hi"})
        self.assertIsNone(artifacts.stat("none"))
        with self.assertRaisesRegex(Failure, "artifact-missing: there is no artifact"):
            artifacts.open("none")

    def test_a_value_is_written_when_the_revision_is_the_expected_one(self):
        kv = Context(Host(kv={"seen": b'{"n": 1}'})).kv
        seen = kv.get("seen")
        self.assertEqual(seen.json(), {"n": 1})
        self.assertIsNone(kv.compare_and_set("seen", None, "x"))
        revision = kv.compare_and_set("seen", seen.revision, json.dumps({"n": 2}))
        self.assertEqual((kv.get("seen").json(), kv.get("seen").revision), ({"n": 2}, revision))
        kv.delete("seen")
        self.assertIsNone(kv.get("seen"))

    def test_a_secret_is_a_placeholder_and_signs_without_being_seen(self):
        ctx = Context(Host(secrets={"TOKEN": "t", "KEY": "base64:AAAA"}))
        self.assertEqual(ctx.secrets.bearer("TOKEN"), "Bearer {{TOKEN}}")
        self.assertEqual(len(ctx.secrets.hmac_sha256("KEY", b"data")), 32)
        self.assertEqual(ctx.secrets.reveal("TOKEN"), "t")
        with self.assertRaisesRegex(Failure, "secret-missing"):
            ctx.secrets.bearer("NONE")

    def test_what_the_manifest_does_not_declare_is_named(self):
        host = Host()
        host.kv = host.secrets = host.reveal = None
        for use, words in [
            (lambda ctx: ctx.kv, '"kv": true'),
            (lambda ctx: ctx.secrets.bearer("T"), '"secrets"'),
            (lambda ctx: ctx.secrets.reveal("T"), '"reveal"'),
        ]:
            with self.assertRaisesRegex(Failure, f"capability-undeclared: .*{words}"):
                use(Context(host))

    def test_a_status_is_an_error_when_it_is_asked_for(self):
        host = Host()
        host.answer("GET", "https://api.example/a?b=1", 503, "busy", retry_after="2")
        host.answer("POST", "https://api.example/", 200, '{"ok": true}')
        http = Context(host).http
        with self.assertRaises(Failure) as raised:
            http.get("https://api.example/a?b=1").error_for_status()
        failure = raised.exception
        self.assertEqual((failure.code, failure.is_retryable, failure.after_ms), ("http-503", True, 2000))
        answer = http.post("https://api.example", json_body={"n": 1}, headers={"X-Key": "k"})
        self.assertTrue(answer.json()["ok"])
        sent = host.http.requests[1]
        self.assertEqual((sent.target, sent.body), ("/", b'{"n": 1}'))
        self.assertEqual(sent.headers, [("x-key", b"k"), ("content-type", b"application/json")])
        for url in ["ftp://a.example", "https://user@a.example/", "no url"]:
            with self.assertRaisesRegex(Failure, "http-invalid-request"):
                http.get(url)


if __name__ == "__main__":
    unittest.main()
