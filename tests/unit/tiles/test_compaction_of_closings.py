"""Tests that tiles follow a data set that closes after its records were compacted."""

from tests.fakes.compaction_scene import CompactionScene, on

BY_HASH = "device.deactivate.hash"


def test_a_continuous_data_set_that_closes_last_hides_equal_records_in_tiles() -> None:
    scene = CompactionScene()
    continuous, upload = scene.open(BY_HASH, deviceId="meter"), scene.open(BY_HASH, "normal", deviceId="meter")

    def seen() -> list[str]:
        return [record["uploadId"] for record in scene.read() if record["type"] == "cbg"]

    for data_set in (continuous, upload):
        scene.add(data_set, on(0, 1, deviceId="meter"))
    scene.close(upload)
    scene.compact()
    assert seen() == [upload]
    scene.close(continuous)
    assert seen() == [continuous]
    scene.compact()
    assert seen() == [continuous]
