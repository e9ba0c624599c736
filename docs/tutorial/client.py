"""A client for the tutorial's examples, of Python's standard library and nothing else."""

import asyncio
import json as texts
import urllib.error
import urllib.request


class Answer(dict):
    """The body of an answer: a dictionary, which the examples also ask for its json()."""

    status = 200

    def json(self):
        return self


class Refused(Exception):
    """The host said no; the problem says why, and what would work."""


class Client:
    def __init__(self, url, token):
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {token}"}

    def set_tenant(self, tenant):
        self.headers["X-Tenant-ID"] = tenant

    async def get(self, path):
        return await asyncio.to_thread(self._call, "GET", path)

    async def post(self, path, json=None):
        return await asyncio.to_thread(self._call, "POST", path, json)

    async def stream(self, path):
        """The events of an execution, one after another, until its last one."""
        with await asyncio.to_thread(self._open, "GET", path, None, "text/event-stream") as stream:
            while line := await asyncio.to_thread(stream.readline):
                if line.startswith(b"data:"):
                    yield texts.loads(line.removeprefix(b"data:"))

    def _call(self, method, path, json=None):
        with self._open(method, path, json, "application/json") as response:
            answer = Answer(texts.loads(response.read() or "{}"))
            answer.status = response.status
            return answer

    def _open(self, method, path, json, accept):
        headers = {**self.headers, "Accept": accept, "Content-Type": "application/json"}
        body = None if json is None else texts.dumps(json).encode()
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        try:
            return urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            raise Refused(error.read().decode()) from None
