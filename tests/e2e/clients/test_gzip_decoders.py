"""A spliced answer in the decoders that clients have: each gives the very bytes of the plain array.

They read from a server of a few lines, so that it is the decoder alone that is tried. What a machine has not got is
skipped.
"""

import gzip
import hashlib
import os
import queue
import shutil
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
import urllib3

from chalicelib.encoding.gzip_splice import RecordArray, deflated_lines
from tests.e2e.browser.chromium import SWITCHES, chromium_path
from tests.e2e.clients import javascript
from tests.e2e.npm import require_programs

READERS = Path(__file__).parent / "gzip_decoders"
TIMEOUT_S = 60
COMPILE_TIMEOUT_S = 300
CHUNK_BYTES = 4099
"""Of streamed reading: a prime, so that chunks end anywhere in runs and blocks."""
NODE = ("node-fetch", "node-http-gunzip-stream", "node-gunzip", "node-unzip", "node-decompression-stream")
FETCH_IN_CHROMIUM = "browser-fetch"
REFUSED = "refused"
DAMAGED = "damaged"


def day_of_cbg(day: int) -> tuple[bytes, ...]:
    """288 records, their ids and values as unlike each other as real ones are."""
    texts = []
    for row in range(288):
        digest = hashlib.sha256(f"{day} {row}".encode()).hexdigest()
        texts.append(
            f'{{"deviceId":"Dexcom_G6","id":"{digest[:32]}","origin":{{"id":"{digest[32:]}"}},"time":"{day}-{row}",'
            f'"type":"cbg","units":"mmol/L","uploadId":"{"a" * 32}","value":{int(digest[:2], 16) / 18}}}'.encode()
        )
    return tuple(texts)


DAYS = [day_of_cbg(day) for day in range(90)]
RUNS = tuple(deflated_lines(day, 6) for day in DAYS)
ARRAYS = {
    "no-record": RecordArray(((), ())),
    "one-record": RecordArray((DAYS[0][:1],)),
    "one-record-as-a-run": RecordArray((deflated_lines(DAYS[0][:1], 6),)),
    "one-run": RecordArray(RUNS[:1]),
    "runs-between-texts": RecordArray((DAYS[0][100:], *RUNS[1:4], (), DAYS[4][:5], RUNS[5], DAYS[6][:200])),
    "ninety-runs": RecordArray(RUNS),
}
MEMBERS = {name: array.gzip() for name, array in ARRAYS.items()} | {
    DAMAGED: RecordArray((RUNS[0], replace(RUNS[1], crc32=RUNS[1].crc32 ^ 1), RUNS[2])).gzip()
}
DIGESTS = {name: hashlib.sha256(array.plain()).hexdigest() for name, array in ARRAYS.items()} | {DAMAGED: REFUSED}

Decoded = dict[tuple[str, str], str]
"""The SHA-256 of what a decoder made of an answer, in hexadecimal digits, or that it refused it."""


class Handler(BaseHTTPRequestHandler):
    """`/answer/…` is a gzip answer of JSON, `/file/…` a gzip file; a page tells what it read by `POST`."""

    protocol_version = "HTTP/1.1"
    told: ClassVar[queue.Queue[str]] = queue.Queue()

    def do_GET(self) -> None:
        """A member, or the page that reads them."""
        folder, _, name = self.path.partition("?")[0].lstrip("/").partition("/")
        if folder == "answer":
            assert "gzip" in self.headers["Accept-Encoding"]
            self._send(MEMBERS[name], {"Content-Type": "application/json", "Content-Encoding": "gzip"})
        elif folder == "file":
            self._send(MEMBERS[name], {"Content-Type": "application/gzip"})
        elif folder == "read.html":
            self._send((READERS / folder).read_bytes(), {"Content-Type": "text/html"})
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        """Take the results that the page posts."""
        self.told.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._send(b"", {})

    def _send(self, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write no log."""


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """The address of a server with the gzip members."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def expected(*decoders: str) -> Decoded:
    """The digest of each member's content, and a refusal of the damaged one."""
    return {(decoder, name): digest for decoder in decoders for name, digest in DIGESTS.items()}


def read_by(command: Iterable[str | Path], base_url: str, timeout_s: int = TIMEOUT_S, **settings: Any) -> Decoded:
    """The results that a program of `gzip_decoders` prints."""
    ended = subprocess.run(
        [*command, base_url, *MEMBERS], capture_output=True, text=True, timeout=timeout_s, check=False, **settings
    )
    assert ended.returncode == 0, ended.stderr
    return decoded_in(ended.stdout)


def decoded_in(lines: str) -> Decoded:
    """The lines that every reader writes."""
    split = (line.split() for line in lines.splitlines())
    return {(decoder, name): digest for decoder, name, digest in split}


def by_gzip(base_url: str, name: str) -> bytes:
    """Python's gzip module."""
    return gzip.decompress(requests.get(f"{base_url}/file/{name}", timeout=TIMEOUT_S).content)


def by_zlib_streamed(base_url: str, name: str) -> bytes:
    """Python's zlib, fed bit by bit."""
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    with requests.get(f"{base_url}/file/{name}", stream=True, timeout=TIMEOUT_S) as response:
        decoded = b"".join(decoder.decompress(chunk) for chunk in response.iter_content(CHUNK_BYTES))
    assert (decoder.eof, decoder.unused_data) == (True, b"")
    return decoded


def by_requests(base_url: str, name: str) -> bytes:
    """Requests, which decodes by itself."""
    return requests.get(f"{base_url}/answer/{name}", timeout=TIMEOUT_S).content


def by_requests_streamed(base_url: str, name: str) -> bytes:
    """Requests, in chunks."""
    with requests.get(f"{base_url}/answer/{name}", stream=True, timeout=TIMEOUT_S) as response:
        return b"".join(response.iter_content(CHUNK_BYTES))


def by_urllib3_streamed(base_url: str, name: str) -> bytes:
    """urllib3 without Requests, in chunks."""
    with urllib3.PoolManager() as pool:
        response = pool.request(
            "GET", f"{base_url}/answer/{name}", headers={"Accept-Encoding": "gzip"}, preload_content=False
        )
        return b"".join(response.stream(CHUNK_BYTES))


@pytest.mark.parametrize("decode", [by_gzip, by_zlib_streamed, by_requests, by_requests_streamed, by_urllib3_streamed])
def test_decoders_of_python_read_every_member(base_url: str, decode: Callable[[str, str], bytes]) -> None:
    def digest(name: str) -> str:
        try:
            return hashlib.sha256(decode(base_url, name)).hexdigest()
        except (zlib.error, gzip.BadGzipFile, requests.RequestException, urllib3.exceptions.HTTPError):
            return REFUSED

    assert {name: digest(name) for name in MEMBERS} == DIGESTS


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl on this machine")
@pytest.mark.parametrize("name", MEMBERS)
def test_curl_reads_every_member(base_url: str, name: str) -> None:
    command = ["curl", "--silent", "--compressed", f"{base_url}/answer/{name}"]
    ended = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, check=False)
    digest = REFUSED if ended.returncode else hashlib.sha256(ended.stdout).hexdigest()
    assert digest == DIGESTS[name]


@pytest.mark.skipif(not shutil.which("gzip"), reason="there is no gzip on this machine")
@pytest.mark.parametrize("name", MEMBERS)
def test_gzip_reads_every_member(name: str) -> None:
    def run(option: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["gzip", option], input=MEMBERS[name], capture_output=True, timeout=TIMEOUT_S, check=False
        )

    test, decoded = run("-t"), run("-dc")
    digest = hashlib.sha256(decoded.stdout).hexdigest() if decoded.returncode == 0 else REFUSED
    assert (digest, test.returncode == 0) == (DIGESTS[name], digest != REFUSED)


def test_node_reads_every_member(base_url: str, tmp_path: Path) -> None:
    require_programs("node")
    # In a folder without packages, so without superagent.
    assert read_by(["node", READERS / "read.mjs"], base_url, cwd=tmp_path) == expected(*NODE)


def test_superagent_of_the_npm_client_reads_every_member(base_url: str) -> None:
    folder = javascript.installed().folder
    assert read_by(["node", READERS / "read.mjs"], base_url, cwd=folder) == expected(*NODE, "superagent")


@pytest.mark.skipif(not shutil.which("go"), reason="there is no Go on this machine")
def test_go_reads_every_member(base_url: str) -> None:
    decoded = read_by(
        ["go", "run", READERS / "read.go"], base_url, COMPILE_TIMEOUT_S, env=os.environ | {"GOTOOLCHAIN": "local"}
    )
    assert decoded == expected("go-http", "go-gzip")


@pytest.mark.skipif(not (shutil.which("java") and shutil.which("javac")), reason="there is no JDK on this machine")
def test_java_reads_every_member(base_url: str) -> None:
    decoded = read_by(["java", READERS / "Read.java"], base_url, COMPILE_TIMEOUT_S)
    assert decoded == expected("java-url-connection", "java-http-client")


def test_chromium_reads_every_member(base_url: str, tmp_path: Path) -> None:
    page = f"{base_url}/read.html?{'&'.join(MEMBERS)}"
    options = [*SWITCHES, "--headless", "--no-sandbox", f"--user-data-dir={tmp_path}", "--remote-debugging-port=0"]
    with subprocess.Popen(
        [chromium_path(), *options, page], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as browser:
        try:
            told = Handler.told.get(timeout=TIMEOUT_S)
        finally:
            browser.terminate()
    decoded, wanted = decoded_in(told), expected(FETCH_IN_CHROMIUM, "browser-decompression-stream")
    # Chromium does not look at the CRC-32 of an answer, so that what it makes of a damaged one says nothing.
    del decoded[FETCH_IN_CHROMIUM, DAMAGED], wanted[FETCH_IN_CHROMIUM, DAMAGED]
    assert decoded == wanted
