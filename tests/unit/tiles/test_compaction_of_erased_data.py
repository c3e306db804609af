"""Tests a compaction that meets an erasure: its lease is that of the erased data."""

from typing import Any

import pytest

from chalicelib.conflicts import WriteConflictError
from chalicelib.tiles.ports import CompactionLease
from tests.fakes.compaction_scene import CompactionScene
from tests.fakes.data_scene import cbg


def test_a_compaction_of_erased_data_writes_nothing_of_the_new_data(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = CompactionScene()
    scene.add(scene.open("none"), cbg(1))
    acquire = scene.tiles.acquire

    def acquire_before_an_erasure(*of_lease: Any) -> CompactionLease | None:
        lease = acquire(*of_lease)
        scene.erase()
        scene.add(scene.open("none"), cbg(2))
        return lease

    with monkeypatch.context() as patched:
        patched.setattr(scene.tiles, "acquire", acquire_before_an_erasure)
        with pytest.raises(WriteConflictError):
            scene.compact()
    assert scene.fakes.object_keys() == []
    assert scene.stored_tiles == set()
    assert scene.compact().tiles == 1
    assert scene.visible() == [2]
