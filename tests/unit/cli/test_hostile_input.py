"""Servers and folders that mean harm: the command answers with a line, and touches no file outside its folder."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import pytest

from strandline.cli import server as server_module
from strandline.cli.comparing import differences
from strandline.cli.errors import CommandError
from strandline.cli.exporting import export_account, md5
from strandline.cli.folder import Manifest, fingerprints, read_lines, verified, write_lines, write_manifest
from strandline.cli.importing_contents import import_contents
from strandline.cli.journal import Journal
from strandline.cli.main import main
from strandline.cli.server import Credentials, Server, pages
from strandline.cli.terminal import printable
from tests.unit.cli.test_exporting import ANSWERS, LOG, NOW, REFUSALS, FakeServer
from tests.unit.cli.test_server import Handler, base_url, server

__all__ = ["base_url", "server"]

STRANGE_IDS = ["../secret", "/etc/passwd", "a/b", "..", "", "a" * 65, "a\nb", 5, None, ["a"]]


class TestIds:
    """Ids become names of files."""

    @pytest.mark.parametrize("id_", STRANGE_IDS)
    def test_an_id_in_a_folder_does_not_leave_it(self, tmp_path: Path, id_: Any) -> None:
        export, asked = tmp_path / "export", FakeServer({}, {})
        (tmp_path / "secret").write_bytes(b"log")
        (export / "blobs").mkdir(parents=True)
        write_lines(export / "blobs.jsonl", [LOG | {"id": id_}])
        with Journal(export, "server", "ada") as journal, pytest.raises(CommandError, match="not allowed as a file"):
            import_contents(cast("Server", asked), "ada", export, "blobs", journal, Counter())
        assert asked.asked == []

    @pytest.mark.parametrize("id_", STRANGE_IDS)
    def test_an_id_of_a_server_does_not_leave_the_folder(self, tmp_path: Path, id_: Any) -> None:
        answers = ANSWERS | {"/v1/users/ada/device_logs": [LOG | {"id": id_}]}
        with pytest.raises(CommandError, match="not allowed as a file name"):
            export_account(cast("Server", FakeServer(answers, REFUSALS)), "ada", tmp_path / "out", NOW)
        assert [path.name for path in tmp_path.iterdir()] == ["out.part"]

    @pytest.mark.parametrize("name", ["../secret", "inside/link", "/etc/hostname"])
    def test_a_manifest_does_not_lead_out_of_its_folder(self, tmp_path: Path, name: str) -> None:
        export = tmp_path / "export"
        (export / "inside").mkdir(parents=True)
        (tmp_path / "secret").write_bytes(b"secret")
        (export / "inside" / "link").symlink_to(tmp_path / "secret")
        files = {name: {"bytes": 6, "sha256": fingerprints(tmp_path)["secret"]["sha256"]}}
        write_manifest(export, Manifest(1, "2026-01-01T00:00:00Z", "server", "ada", {}, files, []))
        with pytest.raises(CommandError, match="outside the export"):
            verified(export)


class TestTerminal:
    """Text of a server on a terminal."""

    def test_control_and_format_characters_are_shown_as_escapes(self) -> None:
        text = "a\x1b[2Jb\x07\r\x9b31m\u202ec\u2028d\ne"
        assert printable(text) == "a\\x1b[2Jb\\x07\\r\\x9b31m\\u202ec\\u2028d e"

    def test_a_refusal_of_the_server_cannot_control_the_terminal(
        self, base_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        monkeypatch.setenv("STRANDLINE_PASSWORD", "secret")
        Handler.answers["/auth/login"] = [(400, {}, "\x1b]0;title\x07\x9b2J\nnew line".encode())]
        assert main(["export", "--url", base_url, "--user", "ada@example.org", str(tmp_path / "out")]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.isprintable()

    def test_a_difference_is_printed_without_control_characters(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name, media_type in (("a", "text/plain"), ("b", "\x9b2J\x1b[2J")):
            folder = tmp_path / name
            folder.mkdir()
            write_lines(folder / "blobs.jsonl", [LOG | {"mediaType": media_type}])
            write_manifest(folder, Manifest(1, "", "server", "ada", {}, fingerprints(folder), []))
        assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) != 0
        assert all(line.isprintable() for line in capsys.readouterr().out.splitlines())
        assert len(differences(tmp_path / "a", tmp_path / "b")) == 2


class TestSizes:
    """Replies without an end."""

    def test_a_small_reply_that_decompresses_to_much_is_refused(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server_module, "MAX_BODY_BYTES", 1_000_000)
        Handler.answers["/x"] = [(200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 1_000_001))]
        with pytest.raises(CommandError, match="more than 1000000 bytes"):
            server.json("GET", "/x")
        Handler.answers["/x"] = [(200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 1_000_000))]
        assert len(server.content("GET", "/x")) == 1_000_000

    def test_a_compressed_block_is_decompressed_in_blocks(self, server: Server) -> None:
        Handler.answers["/x"] = [(200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 10_000_000))]
        with server.stream("/x") as blocks:
            sizes = [len(block) for block in blocks]
        assert sum(sizes) == 10_000_000
        assert max(sizes) <= server_module.BLOCK_BYTES

    def test_a_refusal_that_decompresses_to_much_is_refused(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(server_module, "MAX_BODY_BYTES", 1000)
        Handler.answers["/x"] = [(400, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 1001))]
        with pytest.raises(CommandError, match="more than 1000 bytes"):
            server.json("GET", "/x")

    def test_a_list_without_end_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Endless:
            def json(self, method: str, path: str, body: Any = None) -> Any:
                return [{"id": "a"}] * server_module.PAGE_SIZE

        monkeypatch.setattr(server_module, "MAX_LISTED", 3000)
        with pytest.raises(CommandError, match="has no end"):
            list(pages(Endless(), "/x"))

    def test_a_line_without_end_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class OneLine(FakeServer):
            def stream(self, path: str) -> Any:
                return _blocks()

        monkeypatch.setattr("strandline.cli.exporting.MAX_LINE_BYTES", 1000)
        with pytest.raises(CommandError, match="a line of more than 1000 bytes"):
            export_account(cast("Server", OneLine(ANSWERS, REFUSALS)), "ada", tmp_path / "out", NOW)


class _blocks:  # noqa: N801  a context manager in the place of a function
    def __enter__(self) -> Iterator[bytes]:
        return iter([b"0" * 600] * 3)

    def __exit__(self, *_: object) -> None:
        pass


DEEP = b"[" * 100_000


class TestForms:
    """Values of another type than they should have."""

    @pytest.mark.parametrize("body", [b"[]", b"5", b"null", b"{}", b'{"userid":5}', b'{"userid":""}', b"{", DEEP])
    @pytest.mark.parametrize("with_token", [False, True])
    def test_a_sign_in_without_a_user_is_one_line(
        self,
        base_url: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        body: bytes,
        with_token: bool,
    ) -> None:
        monkeypatch.setenv("STRANDLINE_PASSWORD", "secret")
        Handler.answers["/auth/login"] = [(200, {"x-tidepool-session-token": "t"}, body)]
        Handler.answers["/auth/user"] = [(200, {}, body)]
        (tmp_path / "token").write_text("t")
        by_token = ["--token-file", str(tmp_path / "token")] if with_token else []
        arguments = ["export", "--url", base_url, "--user", "a@example.org", *by_token, str(tmp_path / "out")]
        assert main(arguments) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")

    @pytest.mark.parametrize("path", sorted(path for path in ANSWERS if not path.endswith("/content")))
    @pytest.mark.parametrize("answer", [5, "text", [5], [[]], {"a": 5}, [{"a": 5}], [None]])
    def test_an_export_from_a_server_of_another_form_ends_with_one_line(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        path: str,
        answer: Any,
    ) -> None:
        fake = FakeServer(ANSWERS | {path: answer}, REFUSALS)
        monkeypatch.setattr("strandline.cli.commands.export.signed_in", lambda _: (fake, "ada"))
        code = main(["export", "--url", "https://data.example.org", "--user", "a@b.org", str(tmp_path / "out")])
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert len(lines) == (code == 1)

    @pytest.mark.parametrize(
        "manifest", [b"", b"[]", b"{}", b'{"format":"strandline-export","version":"1"}', DEEP, b"\xff"]
    )
    def test_a_damaged_manifest_is_one_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], manifest: bytes
    ) -> None:
        (tmp_path / "manifest.json").write_bytes(manifest)
        assert main(["compare", str(tmp_path), str(tmp_path)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ")

    @pytest.mark.parametrize("line", [b"[]", b"5", b"{", DEEP, b"\xff"])
    def test_a_damaged_line_is_named(self, tmp_path: Path, line: bytes) -> None:
        (tmp_path / "data.jsonl").write_bytes(b"{}\n" + line + b"\n")
        with pytest.raises(CommandError, match=r"data\.jsonl, line 2, is not"):
            list(read_lines(tmp_path / "data.jsonl"))

    @pytest.mark.parametrize("line", [b"5", b"{}", b"[]", b'{"kind":[],"id":"a"}', DEEP])
    def test_a_damaged_journal_is_named(self, tmp_path: Path, line: bytes) -> None:
        with Journal(tmp_path, "server", "ada") as journal:
            path = journal.path
        path.write_bytes(line + b"\n")
        with pytest.raises(CommandError, match="is damaged"):
            Journal(tmp_path, "server", "ada")

    def test_a_retry_after_that_is_no_number_is_no_error(self, server: Server) -> None:
        Handler.answers["/x"] = [(503, {"Retry-After": "\xb2"}, b""), (200, {}, b"[1]")]
        assert server.json("GET", "/x") == [1]

    def test_a_redirect_to_a_malformed_address_is_one_line(
        self, base_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Handler.answers["/auth/user"] = [(303, {"Location": "http://[::1/x:y"}, b"")]
        (tmp_path / "token").write_text("t")
        token = ["--token-file", str(tmp_path / "token")]
        assert main(["export", "--url", base_url, "--user", "a@example.org", *token, str(tmp_path / "out")]) == 1
        assert len(capsys.readouterr().err.splitlines()) == 1


class TestAddresses:
    """Addresses that a server names: of contents to fetch, and to upload to."""

    @pytest.mark.parametrize(
        "address", ["http://127.0.0.1:2375/", "http://169.254.169.254/", "file:///etc/passwd", "ftp://a/"]
    )
    def test_a_server_with_tls_names_no_program_without_it(
        self, base_url: str, monkeypatch: pytest.MonkeyPatch, address: str
    ) -> None:
        parts = urlsplit(base_url)
        monkeypatch.setattr(
            server_module, "open_connection", lambda _: HTTPConnection(str(parts.hostname), parts.port, timeout=20)
        )
        server = Server(f"https://{parts.netloc}")
        Handler.answers["/x"] = [(303, {"Location": address}, b"")]
        with pytest.raises(CommandError, match="not an https address"):
            server.content("GET", "/x")
        with pytest.raises(CommandError, match="not an https address"):
            server.send_to_signed_url("PUT", address, b"", {})
        assert [path for _, path, _ in Handler.asked] == ["/x"]

    def test_a_server_chooses_no_method(self, server: Server, base_url: str) -> None:
        asked = len(Handler.asked)
        with pytest.raises(CommandError, match="only PUT"):
            server.send_to_signed_url("DELETE", f"{base_url}/x", b"", {})
        assert len(Handler.asked) == asked


def test_only_the_owner_may_read_the_files_of_an_import(tmp_path: Path) -> None:
    for _ in range(2):
        with Journal(tmp_path, "server", "ada") as journal:
            journal.record("blobs", "a", step="done")
        assert journal.path.stat().st_mode & 0o777 == 0o600
        assert journal.path.parent.stat().st_mode & 0o777 == 0o700
        journal.path.chmod(0o644)


def test_a_user_id_of_a_server_stays_one_segment_of_a_path(base_url: str) -> None:
    user = json.dumps({"userid": "../a b?c"}).encode()
    Handler.answers["/auth/login"] = [(200, {"x-tidepool-session-token": "t1"}, user)]
    assert Server(base_url).sign_in(Credentials("ada@example.org", "secret")) == "..%2Fa%20b%3Fc"


def test_md5_is_that_of_the_blob_api() -> None:
    assert md5(b"log") == LOG["digestMD5"]
