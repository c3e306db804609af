"""Bodies of the Nightscout API as programs encode them: compressed, in other charsets, with a byte order mark."""

import gzip
import json
import zlib
from collections.abc import Callable

import pytest

from tests.api.conftest import Reply
from tests.api.nightscout.device import Device
from tests.api.nightscout.records import at
from tests.api.nightscout.v3 import V3
from tests.fakes.services import START_MS

NOTE = {"eventType": "Note", "created_at": at(5), "notes": "caf\u00e9"}
TEXT = json.dumps([NOTE], ensure_ascii=False)
NOTE_OF_V3 = {"eventType": "Note", "date": START_MS - 300_000, "app": "an app", "notes": "caf\u00e9"}
Compress = Callable[[bytes], bytes]


def send(device: Device, body: bytes, **headers: str) -> Reply:
    """The reply to a treatment that is stored."""
    return device.send("POST", "/api/v1/treatments", body, **headers)


def notes(device: Device) -> list[str]:
    """The notes that are stored."""
    return [treatment["notes"] for treatment in device.treatments()]


class TestCompressed:
    @pytest.mark.parametrize(
        ("coding", "compress"),
        [("gzip", gzip.compress), ("GZIP", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)],
    )
    def test_it_is_decompressed(self, device: Device, v3: V3, coding: str, compress: Compress) -> None:
        assert send(device, compress(TEXT.encode()), Content_Encoding=coding).status == 200
        form = f"eventType=Note&created_at={at(6)}&notes=form".encode()
        headers = {"Content_Type": "application/x-www-form-urlencoded", "Content_Encoding": coding}
        assert send(device, compress(form), **headers).status == 200
        assert notes(device) == ["caf\u00e9", "form"]
        body = compress(json.dumps(NOTE_OF_V3).encode())
        assert v3.send("POST", "treatments", body, Content_Encoding=coding).status == 200  # the same note

    @pytest.mark.parametrize("coding", ["gzip", "deflate"])
    def test_what_is_not_compressed_is_taken_as_the_gateway_decompressed_it(self, device: Device, coding: str) -> None:
        assert send(device, TEXT.encode(), Content_Encoding=coding).status == 200
        assert notes(device) == ["caf\u00e9"]

    @pytest.mark.parametrize("coding", ["br", "zstd", "identity", "", "gzip, gzip"])
    def test_another_coding_is_no_reason_to_refuse_json(self, device: Device, coding: str) -> None:
        assert send(device, TEXT.encode(), Content_Encoding=coding).status == 200
        assert send(device, gzip.compress(TEXT.encode()), Content_Encoding=coding).status == 400
        assert notes(device) == ["caf\u00e9"]

    @pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
    def test_a_damaged_body_is_refused(self, device: Device, compress: Compress) -> None:
        whole = compress(TEXT.encode())
        coding = "gzip" if compress is gzip.compress else "deflate"
        bodies = (whole[:-1], whole[:4], whole + b"x", whole + whole, whole[:12] + bytes(8) + whole[20:])
        for body in bodies:
            reply = send(device, body, Content_Encoding=coding)
            assert (reply.status, reply.json()["message"][:19]) == (400, "the compressed body")
        assert notes(device) == []

    def test_it_is_not_decompressed_beyond_the_limit(self, device: Device) -> None:
        bomb = gzip.compress(b"[" + b" " * 16 * 1024 * 1024 + b"]")
        assert send(device, bomb, Content_Encoding="gzip").status == 413
        assert send(device, gzip.compress(b" " * (16 * 1024 * 1024 - 2) + b"[]"), Content_Encoding="gzip").status == 200


class TestCharsets:
    @pytest.mark.parametrize(
        ("charset", "encoding"),
        [
            ("utf-8", "utf-8"),
            ("UTF-8", "utf-8-sig"),
            ("utf-16", "utf-16"),
            ("utf-16", "utf-16-le"),
            ('"UTF-16LE"', "utf-16-le"),
            ("utf-16be", "utf-16-be"),
            ("utf-32", "utf-32"),
            ("iso-8859-1", "latin-1"),
            ("windows-1252", "cp1252"),
            ("iso-8859-1", "utf-8"),
            ("unknown", "utf-8"),
        ],
    )
    def test_text_is_read_in_the_charset_that_is_named(self, device: Device, charset: str, encoding: str) -> None:
        body = TEXT.encode(encoding)
        assert send(device, body, Content_Type=f"application/json; charset={charset}").status == 200
        assert notes(device) == ["caf\u00e9"]

    def test_a_byte_order_mark_is_no_part_of_the_text(self, device: Device, v3: V3) -> None:
        assert send(device, json.dumps(NOTE).encode("utf-8-sig")).status == 200
        assert v3.send("POST", "treatments", json.dumps(NOTE_OF_V3).encode("utf-8-sig")).status == 200  # the same note
        form = f"eventType=Note&created_at={at(6)}&notes=form".encode("utf-8-sig")
        assert send(device, form, Content_Type="application/x-www-form-urlencoded").json()[0]["eventType"] == "Note"

    def test_utf_16_that_is_not_named_is_refused(self, device: Device) -> None:
        assert send(device, TEXT.encode("utf-16")).status == 400
        assert notes(device) == []
