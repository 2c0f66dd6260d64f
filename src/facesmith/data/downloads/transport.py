"""HTTP as it is met: what a server answered, and whether it is worth asking again."""

from __future__ import annotations

import email.utils
import html
import json
import logging
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse, IncompleteRead
from typing import IO, Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from facesmith.base.version import VERSION

Result = TypeVar("Result")
OK, PARTIAL, NOT_SATISFIABLE = 200, 206, 416
BUSY = {408, 425, 429}
"""And all from 500 on."""
PAGE_BYTES = 64 * 2**10
"""Of a web page, to read its title."""

JSON_BYTES = 64 * 2**20
"""Of a listing; no data set has so many files."""
REASON_LETTERS = 60
"""Of what a server says beside its number."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How much of a bad server is borne."""

    tries: int = 5
    """In a row that brought nothing new."""
    silence: float = 30.0
    """Seconds without a byte that end a try."""
    longest_wait: float = 120.0
    """Seconds between two tries at most, whatever the server asks for."""
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.time


PATIENT = Patience()


class PassingError(Exception):
    """A failure that may be over in a moment.

    Args:
        said: What happened, without a full stop.
        wait: Seconds that the server asks for, if it does.
    """

    def __init__(self, said: str, wait: float | None = None) -> None:
        super().__init__(said)
        self.wait = wait


class RefusedError(Exception):
    """An answer that asking again will not change; its text has no full stop."""


def persist(
    attempt: Callable[[], Result], patience: Patience, reached: Callable[[], int] = lambda: 0
) -> Result:
    """Try until it succeeds, or brings nothing new several times in a row.

    Args:
        attempt: What to try; raises `PassingError` where another try may succeed.
        patience: How long.
        reached: Says how far the tries have come, in bytes.

    Returns:
        What the attempt returned.

    Raises:
        RefusedError: The attempt did, or patience is at its end.
    """
    fruitless = 0
    while True:
        before = reached()
        try:
            return attempt()
        except PassingError as failure:
            fruitless = 1 if reached() > before else fruitless + 1
            if fruitless >= patience.tries:
                raise RefusedError(f"{failure}, {fruitless} times in a row") from failure
            wait = 2.0 ** (fruitless - 1) if failure.wait is None else failure.wait
            wait = min(wait, patience.longest_wait)
            log.info("%s; next try in %.0f s", failure, wait)
            patience.sleep(wait)


def ask(url: str, headers: Mapping[str, str], patience: Patience) -> HTTPResponse:
    """Request a file.

    Args:
        url: Where it is.
        headers: More to say, such as a range; what authorizes is shown to this host alone.
        patience: How long to wait for an answer.

    Returns:
        The open response, of status 200, 206 or 416.

    Raises:
        PassingError: The server is busy or out of reach.
        RefusedError: It answered anything else.
    """
    said = {"User-Agent": f"facesmith/{VERSION}", **headers}
    try:
        response = build_opener(_Redirects).open(
            Request(url, headers=said), timeout=patience.silence
        )
    except HTTPError as answer:
        with answer:
            raise _meaning(answer, url, patience) from answer
    except (OSError, HTTPException) as error:
        raise unreached(url, error) from error
    assert isinstance(response, HTTPResponse)
    if response.status not in (OK, PARTIAL, NOT_SATISFIABLE):
        with response:
            raise RefusedError(f"{host(url)} answered {_status(response)} without the file")
    return response


def read_json(url: str, headers: Mapping[str, str], patience: Patience) -> tuple[Any, str | None]:
    """Request a JSON document.

    Args:
        url: Where it is.
        headers: As for `ask`.
        patience: How long to try.

    Returns:
        The document, and the address of the page that follows it, if one does.

    Raises:
        RefusedError: There is none to be had.
    """

    def attempt() -> tuple[Any, str | None]:
        with ask(url, headers, patience) as response:
            try:
                text = response.read(JSON_BYTES)
                if response.length and len(text) < JSON_BYTES:  # a bounded read does not say so
                    raise IncompleteRead(text, response.length)
            except (OSError, HTTPException) as error:
                raise unreached(url, error) from error
            links = response.headers.get("Link", "")
        following = re.search(r'<([^>]*)>\s*;\s*rel="?next\b', links)
        try:
            return json.loads(text), urljoin(url, following[1]) if following else None
        except ValueError as error:
            kind = "a web page" if is_page(text) else "something"
            raise RefusedError(f"{host(url)} answered with {kind} that is no JSON") from error

    return persist(attempt, patience)


def host(url: str) -> str:
    """Name the server of an address."""
    return urlsplit(url).netloc


def is_page(beginning: bytes) -> bool:
    """Say whether bytes begin a web page, as a quota's or a login's that is sent for a file."""
    start = beginning[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<!--"))


def page_title(beginning: bytes) -> str:
    """Quote a web page's title for a message; empty where it has none."""
    found = re.search(rb"<title[^>]*>(.*?)</title", beginning, re.DOTALL | re.IGNORECASE)
    title = " ".join(html.unescape(found[1].decode("utf-8", "replace")).split()) if found else ""
    return f', "{title[:80]}"' if title else ""


def unreached(url: str, error: Exception) -> PassingError | RefusedError:
    """Explain a connection that failed or broke.

    Args:
        url: Where it led.
        error: What Python said.

    Returns:
        The error to raise.
    """
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        return RefusedError(f"{host(url)} shows a certificate that is not trusted: {reason}")
    if isinstance(reason, TimeoutError):
        return PassingError(f"{host(url)} was silent for too long")
    said = " ".join(
        (getattr(reason, "strerror", None) or str(reason) or type(reason).__name__).split()
    )
    return PassingError(f"the connection to {host(url)} failed: {said}")


def _meaning(answer: HTTPError, url: str, patience: Patience) -> PassingError | RefusedError:
    said = f"{host(url)} answered {_status(answer)}"
    if answer.code in BUSY or answer.code >= 500:
        return PassingError(said, _retry_after(answer.headers.get("Retry-After", ""), patience))
    if 300 <= answer.code < 400:
        return RefusedError(f"{host(url)} redirects in a circle or to nowhere ({_status(answer)})")
    try:
        beginning = answer.read(PAGE_BYTES)
    except (OSError, HTTPException):
        beginning = b""
    return RefusedError(said + page_title(beginning))


def _status(answer: HTTPResponse | HTTPError) -> str:
    # Python explains a circle of redirects in a paragraph.
    return f"{answer.status} {' '.join(str(answer.reason).split())[:REASON_LETTERS]}".strip()


def _retry_after(text: str, patience: Patience) -> float | None:
    """Read seconds or a date."""
    if text.strip().isdecimal():
        return float(text)
    try:
        then = email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None
    return max(0.0, then - patience.clock())


class _Redirects(HTTPRedirectHandler):
    """Follows as usual, but shows a token only to the host that it was meant for."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following and urlsplit(newurl)[:2] != urlsplit(req.full_url)[:2]:
            following.remove_header("Authorization")
        return following

    def http_error_416(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> IO[bytes]:
        """Hand it on like a success: it tells how long the file is."""
        return fp
