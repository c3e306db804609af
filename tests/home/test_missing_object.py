"""An object whose file is gone: the request that needs it fails, and all others are answered."""

from pathlib import Path

from chalicelib.tiles.compact import compact
from strandline.home.launching import home_server
from tests.e2e.client import User
from tests.home.conftest import Person, readings

TEXT = {"Content-Type": "text/plain"}


def remove_file_with(folder: Path, content: bytes) -> None:
    """Remove the file of the object with this content."""
    next(path for path in (folder / "objects").iterdir() if path.read_bytes() == content).unlink()


def test_a_running_server_answers_500_for_the_one_object_and_goes_on(tmp_path: Path) -> None:
    with home_server(tmp_path / "data") as server:
        user = User(server.base_url)
        ids = [
            user.request("POST", f"/v1/users/{user.id}/blobs", content, TEXT).json()["id"]
            for content in (b"lost", b"kept")
        ]
        remove_file_with(tmp_path / "data", b"lost")
        for _ in range(3):
            reply = user.request("GET", f"/v1/blobs/{ids[0]}/content")
            assert (reply.status, reply.json()["code"]) == (500, "internal-server-error")
        assert user.request("GET", f"/v1/blobs/{ids[1]}/content").body == b"kept"
        assert user.request("GET", f"/v1/blobs/{ids[0]}").status == 200
        assert len(user.request("GET", f"/v1/users/{user.id}/blobs").json()) == 2
        assert user.request("DELETE", f"/v1/blobs/{ids[0]}").status == 204
        assert user.request("GET", f"/v1/blobs/{ids[0]}/content").status == 404
        assert server.process.poll() is None


def test_a_content_without_an_object_is_not_found(person: Person) -> None:
    blob_id = person.store_blob(b"content").json()["id"]
    person.home.engine.objects.delete([f"blobs/{person.user_id}/{blob_id}"])
    reply = person.request("GET", f"/v1/blobs/{blob_id}/content")
    assert (reply.status, reply.json()["code"]) == (404, "resource-not-found")
    assert person.store_blob(b"content").status == 201


def test_data_is_read_and_added_though_a_file_of_the_archive_is_missing(person: Person) -> None:
    data_set_id = person.open_data_set()
    assert person.add(data_set_id, readings(0, 300)).status == 200
    compact(person.user_id, person.home.services.tiles, lambda: None)
    for path in (person.home.data_dir / "objects").iterdir():
        path.unlink()
    assert len(person.read()) == 300
    assert person.add(data_set_id, readings(300, 10)).status == 200
    assert len(person.read()) == 310
