"""A web server on this machine that answers as badly as a test asks for."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from facesmith.data.downloads.transport import Patience

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """Gives its answers in order, one a request; `always` answers where there is none left."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    always: Answer | None = None
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of each request."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set at the end of the test, for what waits."""

    def handle(self, request: http.server.BaseHTTPRequestHandler) -> None:
        self.paths.append(request.path)
        self.headers.append(dict(request.headers))
        answer = self.answers.pop(0) if self.answers else self.always
        if answer is None:
            request.send_error(500, "Not expected by the test")
        else:
            answer(request)

    @staticmethod
    def says(status: int, body: bytes = b"", **headers: str) -> Answer:
        """Answer with a status and a whole body."""

        def answer(request: http.server.BaseHTTPRequestHandler) -> None:
            request.send_response(status)
            for name, value in headers.items():
                request.send_header(name.replace("_", "-"), value)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)

        return answer

    def file(
        self,
        body: bytes,
        *,
        etag: str = "",
        ranges: bool = True,
        stop: int | None = None,
        stall: bool = False,
        **headers: str,
    ) -> Answer:
        """Serve a file as HTTP has it; hang up, or fall silent, after `stop` bytes of the answer."""

        def answer(request: http.server.BaseHTTPRequestHandler) -> None:
            wanted = request.headers.get("Range", "") if ranges else ""
            if request.headers.get("If-Range", etag) != etag:
                wanted = ""  # it has changed since
            start = int(wanted.removeprefix("bytes=").removesuffix("-") or 0)
            if wanted and start >= len(body):
                request.send_response(416)
                request.send_header("Content-Range", f"bytes */{len(body)}")
                request.send_header("Content-Length", "0")
                request.end_headers()
                return
            request.send_response(206 if wanted else 200)
            if wanted:
                request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            if etag:
                request.send_header("ETag", etag)
            for name, value in headers.items():
                request.send_header(name.replace("_", "-"), value)
            request.send_header("Content-Length", str(len(body) - start))
            request.end_headers()
            request.wfile.write(body[start:][:stop])
            if stall:
                request.wfile.flush()
                self.over.wait(60)

        return answer

    @staticmethod
    def hangs_up(request: http.server.BaseHTTPRequestHandler) -> None:
        """Close without a word."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    made = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.handle(self)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Web(http.server.ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # who was downloading has gone, as tests want it

    with Web(("127.0.0.1", 0), Handler) as web:
        made.url = f"http://127.0.0.1:{web.server_port}"
        thread = threading.Thread(target=web.serve_forever, args=(0.005,))
        thread.start()
        yield made
        made.over.set()
        web.shutdown()
        thread.join()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    """Three tries and no sleep; the clock stands at a million seconds."""
    return Patience(tries=3, silence=20, sleep=waits.append, clock=lambda: 1_000_000.0)
