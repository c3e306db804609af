"""Edits of the fold: the rules of deduplication, deletions, truncations, and doubles."""

from tools.mutants.edit import Edit

_AREA = "fold"

FOLD = (
    Edit(
        _AREA,
        "the last entry before a deletion of its data set stays",
        "chalicelib/log/fold_steps.py",
        "if entry.number > deleted_through:",
        "if entry.number >= deleted_through:",
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "a truncation spares the last entry that it covers",
        "chalicelib/log/fold_steps.py",
        "(pending[-1].last_number or 0) < entry.number",
        "(pending[-1].last_number or 0) <= entry.number",
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "the last record in tiles before a deletion stays",
        "chalicelib/log/fold_steps.py",
        "if addresses[row].number > deleted_through]",
        "if addresses[row].number >= deleted_through]",
        ("tests/unit/tiles/test_compaction.py",),
    ),
    Edit(
        _AREA,
        "a truncation that ends where the tiles end is forgotten",
        "chalicelib/log/fold_steps.py",
        "cut.last_number >= prefix.position",
        "cut.last_number > prefix.position",
        ("tests/unit/tiles/test_compaction.py",),
    ),
    Edit(
        _AREA,
        "a bolus or food replaces one that is as new",
        "chalicelib/log/fold_forward.py",
        "moment > other for other",
        "moment >= other for other",
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "of equal hashes in one request the first wins",
        "chalicelib/log/fold_forward.py",
        "last = {digest: row for row, digest in enumerate(records.hashes)}",
        "last = {digest: row for row, digest in reversed(list(enumerate(records.hashes)))}",
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "an older bolus replaces a newer one",
        "chalicelib/log/fold_forward.py",
        'frozenset({"bolus", "food"})',
        'frozenset({"food"})',
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "an older food replaces a newer one",
        "chalicelib/log/fold_forward.py",
        'frozenset({"bolus", "food"})',
        'frozenset({"bolus"})',
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "a known hash is stored again",
        "chalicelib/log/fold_forward.py",
        "for row in last_of_each_hash(step) if not live.has_hash(step.hashes[row])]",
        "for row in last_of_each_hash(step)]",
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "of equal hashes of a device the data set that was closed first wins",
        "chalicelib/log/fold.py",
        "key=lambda data: data.data_set.close_sequence or 0, reverse=True",
        "key=lambda data: data.data_set.close_sequence or 0",
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "of equal records of old uploads the later one wins",
        "chalicelib/log/fold.py",
        "if digest not in first or place < first[digest]:",
        "if digest not in first or place > first[digest]:",
        ("tests/api/data/test_old_uploads.py",),
    ),
    Edit(
        _AREA,
        "a data set that is open hides equal records of its device",
        "chalicelib/log/fold.py",
        "if data.data_set.is_closed and device_id is not None:",
        "if device_id is not None:",
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "a closing does not change the fingerprint of a data set",
        "chalicelib/log/fold.py",
        "data_set.close_sequence, data_set.deleted_through, truncated)",
        "data_set.deleted_through, truncated)",
        ("tests/unit/tiles/test_compaction_of_closings.py",),
    ),
    Edit(
        _AREA,
        "a deletion does not change the fingerprint of a data set",
        "chalicelib/log/fold.py",
        "data_set.close_sequence, data_set.deleted_through, truncated)",
        "data_set.close_sequence, truncated)",
        ("tests/unit/tiles/test_compaction.py",),
    ),
    Edit(
        _AREA,
        "readings of two uploads are doubles only within a second",
        "chalicelib/log/doubles.py",
        "time_ms // MINUTE_MS, None",
        "time_ms // SECOND_MS, None",
        ("tests/api/nightscout/test_doubles.py",),
    ),
    Edit(
        _AREA,
        "device events of two kinds are doubles",
        "chalicelib/log/doubles.py",
        'records.sub_types[row] if name == "deviceEvent" else None',
        "None",
        ("tests/api/nightscout/test_doubles.py",),
    ),
    Edit(
        _AREA,
        "readings of two values are doubles",
        "chalicelib/log/doubles.py",
        "return any(_value(other, other_row) == value for other, other_row in equal)",
        "return True",
        ("tests/api/nightscout/test_doubles.py",),
    ),
    Edit(
        _AREA,
        "records without an origin id replace each other",
        "chalicelib/log/fold_backward.py",
        "removed.origin_ids.discard(None)",
        "pass",
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "records of one request replace each other",
        "chalicelib/log/fold_backward.py",
        (
            "            slices.append(_drop_removed(RecordSlice(step, range(len(step))), removed))\n"
            "            if replaces_origins:\n"
            "                removed.origin_ids.update(step.origin_ids)\n"
            "                removed.origin_ids.discard(None)\n"
        ),
        (
            "            if replaces_origins:\n"
            "                removed.origin_ids.update(step.origin_ids)\n"
            "                removed.origin_ids.discard(None)\n"
            "            slices.append(_drop_removed(RecordSlice(step, range(len(step))), removed))\n"
        ),
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "a closing truncates what was closed later",
        "chalicelib/log/truncation.py",
        "data_set.close_sequence is not None and data_set.close_sequence < close_sequence",
        "data_set.close_sequence is not None",
        ("tests/unit/log/test_fold.py",),
    ),
    Edit(
        _AREA,
        "an entry is joined with one whose record it replaces",
        "chalicelib/log/joined_entries.py",
        "            and origin_keys.isdisjoint(outline.origin_keys)\n",
        "",
        ("tests/unit/log/test_joined_entries.py",),
    ),
    Edit(
        _AREA,
        "entries before and after a truncation are joined",
        "chalicelib/log/joined_entries.py",
        "    return not borders or not any(entry.number <= number < following.number for number in borders)\n",
        "    return True\n",
        ("tests/unit/log/test_joined_entries.py",),
    ),
    Edit(
        _AREA,
        "entries that decide about later ones are joined",
        "chalicelib/log/joined_entries.py",
        "if data_set.is_continuous and data_set.deduplicator not in _FOLDED_FORWARD",
        "if data_set.is_continuous",
        ("tests/unit/log/test_joined_entries.py",),
    ),
)
