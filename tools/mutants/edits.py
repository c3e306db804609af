"""Edits of authorization, fold, compaction and idempotency, each of which has to turn the tests red."""

from collections.abc import Sequence

from tools.mutants.edit import Edit

_CALL = "chalicelib/access/call.py"
_IDEMPOTENCY = "chalicelib/access/idempotency.py"
_STEPS = "chalicelib/log/fold_steps.py"
_FOLD = "chalicelib/log/fold.py"
_FORWARD = "chalicelib/log/fold_forward.py"
_COMPACT = "chalicelib/tiles/compact.py"
_TILES = "chalicelib/tiles/stores/tiles.py"
_DATA_SETS = "chalicelib/log/stores/data_sets.py"
_CALL_TESTS = ("tests/unit/access/test_call.py",)
_TOKEN_TESTS = ("tests/api/accounts/test_restricted_tokens.py",)
_SESSION_TESTS = ("tests/api/accounts/test_access.py",)
_FOLD_TESTS = ("tests/unit/log/test_fold.py",)
_COMPACTION_TESTS = ("tests/unit/tiles/test_compaction.py",)
_TILE_TESTS = ("tests/stores/tiles/test_tiles.py",)
_REPETITION_TESTS = ("tests/api/test_repeated_creations.py",)
_CLOSING_TESTS = ("tests/stores/log/test_data_stores.py",)

AUTHORIZATION = (
    Edit(
        "authorization",
        "servers may do everything",
        _CALL,
        "is_allowed = policy.server\n",
        "is_allowed = True\n",
        _CALL_TESTS,
    ),
    Edit(
        "authorization",
        "owners may do everything with their own",
        _CALL,
        "is_allowed = policy.owner\n",
        "is_allowed = True\n",
        _CALL_TESTS,
    ),
    Edit(
        "authorization",
        "a Nightscout credential to read uploads",
        _CALL,
        "caller.nightscout_credential.scope in policy.nightscout",
        "bool(policy.nightscout)",
        _CALL_TESTS,
    ),
    Edit(
        "authorization",
        "a Nightscout credential opens the data of other users",
        _CALL,
        "caller.user_id == owner_id and caller.nightscout_credential.scope",
        "caller.nightscout_credential.scope",
        _CALL_TESTS,
    ),
    Edit(
        "authorization",
        "a session is valid for a millisecond after its end",
        _CALL,
        "session.expires_time_ms > now_ms else None",
        "session.expires_time_ms >= now_ms else None",
        _SESSION_TESTS,
    ),
    Edit(
        "authorization",
        "a restricted token opens all paths",
        _CALL,
        "now_ms < self.expiration_time_ms and self.covers(path)",
        "now_ms < self.expiration_time_ms",
        _TOKEN_TESTS,
    ),
    Edit(
        "authorization",
        "a restricted token opens paths that only begin as its own",
        _CALL,
        'path.startswith(root.rstrip("/") + "/")',
        "path.startswith(root)",
        _TOKEN_TESTS,
    ),
    Edit(
        "authorization",
        "root counts as every permission",
        _CALL,
        "(ROOT in granted and bool(wanted & {VIEW, UPLOAD}))",
        "(ROOT in granted)",
        _CALL_TESTS,
    ),
    Edit(
        "authorization",
        "a view of the last hours shows all data",
        _CALL,
        "            return from_ms\n        return None",
        "            return None\n        return None",
        _CALL_TESTS,
    ),
    Edit(
        "authorization",
        "each session is that of a server",
        _CALL,
        "is_server=session.is_server, credential=session",
        "is_server=True, credential=session",
        _SESSION_TESTS,
    ),
)
FOLD = (
    Edit(
        "fold",
        "the last entry before a deletion of its data set stays",
        _STEPS,
        "if entry.number > deleted_through:",
        "if entry.number >= deleted_through:",
        _FOLD_TESTS,
    ),
    Edit(
        "fold",
        "a truncation spares the last entry that it covers",
        _STEPS,
        "(pending[-1].last_number or 0) < entry.number",
        "(pending[-1].last_number or 0) <= entry.number",
        _FOLD_TESTS,
    ),
    Edit(
        "fold",
        "a bolus or food replaces one that is as new",
        _FORWARD,
        "moment > other for other",
        "moment >= other for other",
        _FOLD_TESTS,
    ),
    Edit(
        "fold",
        "of equal hashes in one request the first wins",
        _FORWARD,
        "last = {digest: row for row, digest in enumerate(records.hashes)}",
        "last = {digest: row for row, digest in reversed(list(enumerate(records.hashes)))}",
        _FOLD_TESTS,
    ),
    Edit(
        "fold",
        "of equal hashes of a device the data set that was closed first wins",
        _FOLD,
        "key=lambda data: data.data_set.close_sequence or 0, reverse=True",
        "key=lambda data: data.data_set.close_sequence or 0",
        _FOLD_TESTS,
    ),
    Edit(
        "fold",
        "of equal records of old uploads the later one wins",
        _FOLD,
        "if digest not in first or place < first[digest]:",
        "if digest not in first or place > first[digest]:",
        ("tests/api/data/test_old_uploads.py",),
    ),
    Edit(
        "fold",
        "readings of two uploads are doubles only within a second",
        "chalicelib/log/doubles.py",
        "time_ms // _MINUTE_MS, None",
        "time_ms // _SECOND_MS, None",
        ("tests/api/nightscout/test_doubles.py",),
    ),
    Edit(
        "fold",
        "records without an origin id replace each other",
        "chalicelib/log/fold_backward.py",
        "removed.origin_ids.discard(None)",
        "pass",
        _FOLD_TESTS,
    ),
)
COMPACTION = (
    Edit(
        "compaction",
        "a compaction goes on after an erasure",
        _COMPACT,
        "if owner.epoch != lease.owner.epoch:\n        raise WriteConflictError",
        "if owner.epoch < lease.owner.epoch:\n        raise WriteConflictError",
        ("tests/unit/tiles/test_compaction_of_erased_data.py",),
    ),
    Edit(
        "compaction",
        "an old lease commits",
        _TILES,
        'Check(lease_key(owner.id), equals("version", lease.fencing_token)),',
        "Check(lease_key(owner.id), exists()),",
        _TILE_TESTS,
    ),
    Edit(
        "compaction",
        "a manifest replaces one that it does not follow",
        _TILES,
        "Put(self._manifest_item(owner, after), _is_still(owner.epoch, before.version)),",
        "Put(self._manifest_item(owner, after)),",
        _TILE_TESTS,
    ),
    Edit(
        "compaction",
        "tiles that are being swept are committed",
        _TILES,
        'is_not_swept = all_of(exists(), absent("is_swept"))',
        "is_not_swept = exists()",
        ("tests/stores/tiles/test_concurrency.py",),
    ),
    Edit(
        "compaction",
        "the first entry that is not deleted is missing in the archive",
        _COMPACT,
        "and entry.number > deleted_through[entry.data_set_id]",
        "and entry.number > deleted_through[entry.data_set_id] + 1",
        _COMPACTION_TESTS,
    ),
    Edit(
        "compaction",
        "each data set counts as emptied",
        "chalicelib/tiles/fold_into_tiles.py",
        "data_set.deleted_through >= before.position(data_set.id)",
        "data_set.deleted_through >= 0",
        _COMPACTION_TESTS,
    ),
)
IDEMPOTENCY = (
    Edit(
        "idempotency",
        "equal keys of two users make one id",
        _IDEMPOTENCY,
        'f"{kind}\\0{owner_id}\\0{idempotency_key}"',
        'f"{kind}\\0{idempotency_key}"',
        _REPETITION_TESTS,
    ),
    Edit(
        "idempotency",
        "equal keys for two kinds of things make one id",
        _IDEMPOTENCY,
        'f"{kind}\\0{owner_id}\\0{idempotency_key}"',
        'f"{owner_id}\\0{idempotency_key}"',
        ("tests/api/test_repetitions.py", "tests/api/nightscout/test_credentials.py"),
    ),
    Edit(
        "idempotency",
        "a repetition creates again",
        _IDEMPOTENCY,
        "return replace(call, new_id=lambda: derived_id(kind, owner_id, idempotency_key))",
        "return call",
        _REPETITION_TESTS,
    ),
    Edit(
        "idempotency",
        "two data sets that close get one number",
        _DATA_SETS,
        'seen = {"epoch": after.epoch, "closings": close_sequence - 1}',
        'seen = {"epoch": after.epoch}',
        _CLOSING_TESTS,
    ),
    Edit(
        "idempotency",
        "an entry that is added while its data set closes is not the newest of its type",
        _DATA_SETS,
        'is_unchanged = equals("last_number", head.last_number)',
        "is_unchanged = None",
        ("tests/stores/log/test_freshness.py",),
    ),
)
EDITS: Sequence[Edit] = (*AUTHORIZATION, *FOLD, *COMPACTION, *IDEMPOTENCY)
