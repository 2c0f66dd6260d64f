"""How fast is a download that is checked, beside one that is not, and how much memory does it take?

A server on this machine, in a process of its own, sends a file of noise; each way to fetch
it runs in a fresh process. A folder that lies in memory keeps the disk out of the measurement.
Run: python benchmarks/download.py [--megabytes 500] [--folder /dev/shm]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.server
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from facesmith.data.downloads.catalogue import File
from facesmith.data.downloads.download import download

WAYS = ("urlretrieve", "unchecked", "sha256", "md5")
REPEATS = 3
RESULT = Path(__file__).parent / "results" / "download.json"


def serve(path: Path) -> None:
    """Serve one file for ever.

    Args:
        path: The file.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(path.stat().st_size))
            self.end_headers()
            self.wfile.flush()
            with path.open("rb") as stream:
                self.connection.sendfile(stream)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


def fetch(way: str, source: Path, url: str, folder: Path) -> dict[str, float]:
    """Download once.

    Args:
        way: One of `WAYS`.
        source: The file that is served, for its checksum.
        url: Its address.
        folder: Where to put it.

    Returns:
        Megabytes a second, by the wall and by the processor, and megabytes of memory.
    """
    checksum = None
    if way in ("sha256", "md5"):
        with source.open("rb") as stream:
            checksum = f"{way}:{hashlib.file_digest(stream, way).hexdigest()}"
    before, wall, processor = peak(), time.perf_counter(), time.process_time()
    if way == "urlretrieve":
        urllib.request.urlretrieve(url, folder / "file")
    else:
        download(File("file", (url,), source.stat().st_size, checksum), folder)
    megabytes = source.stat().st_size / 1e6
    return {
        "mb_per_second": round(megabytes / (time.perf_counter() - wall)),
        "mb_per_processor_second": round(megabytes / (time.process_time() - processor)),
        "memory_mb": round(peak() - before, 1),
    }


def peak() -> float:
    """Say how many megabytes this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure all ways and write the result."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=int, default=500)
    options.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    options.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--fetch", nargs=3, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.serve:
        serve(given.serve)
    if given.fetch:
        way, source, url = given.fetch
        print(json.dumps(fetch(way, Path(source), url, given.folder)))
        return
    result: dict[str, Any] = {
        "megabytes": given.megabytes,
        "processors": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
    }
    with contextlib.ExitStack() as stack:
        source = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=given.folder)), "noise")
        with source.open("wb") as stream:
            for _ in range(given.megabytes):
                stream.write(os.urandom(10**6))
        this = [sys.executable, __file__]
        command = [*this, "--serve", str(source)]
        server = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(server.kill)
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/"
        for way in WAYS:
            runs = []
            for _ in range(REPEATS):
                with tempfile.TemporaryDirectory(dir=given.folder) as folder:
                    command = [*this, "--folder", folder, "--fetch", way, str(source), url]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                    runs.append(json.loads(done.stdout))
            result[way] = max(runs, key=lambda run: run["mb_per_second"])
            print(f"{way}: {result[way]}", flush=True)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
