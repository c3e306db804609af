"""Edits of idempotency: repeated requests, and writes that meet others."""

from tools.mutants.edit import Edit

_AREA = "idempotency"

IDEMPOTENCY = (
    Edit(
        _AREA,
        "equal keys of two users make one id",
        "chalicelib/access/idempotency.py",
        'f"{kind}\\0{owner_id}\\0{idempotency_key}"',
        'f"{kind}\\0{idempotency_key}"',
        ("tests/api/test_repeated_creations.py",),
    ),
    Edit(
        _AREA,
        "equal keys for two kinds of things make one id",
        "chalicelib/access/idempotency.py",
        'f"{kind}\\0{owner_id}\\0{idempotency_key}"',
        'f"{owner_id}\\0{idempotency_key}"',
        (
            "tests/api/test_repetitions.py",
            "tests/api/nightscout/test_credentials.py",
        ),
    ),
    Edit(
        _AREA,
        "a repetition creates again",
        "chalicelib/access/idempotency.py",
        "return replace(call, new_id=lambda: derived_id(kind, owner_id, idempotency_key))",
        "return call",
        ("tests/api/test_repeated_creations.py",),
    ),
    Edit(
        _AREA,
        "two data sets that close get one number",
        "chalicelib/log/stores/data_sets.py",
        'seen = {"epoch": after.epoch, "closings": close_sequence - 1}',
        'seen = {"epoch": after.epoch}',
        ("tests/stores/log/test_data_stores.py",),
    ),
    Edit(
        _AREA,
        "an entry that is added while its data set closes is not the newest of its type",
        "chalicelib/log/stores/data_sets.py",
        'is_unchanged = equals("last_number", head.last_number)',
        "is_unchanged = None",
        ("tests/stores/log/test_freshness.py",),
    ),
    Edit(
        _AREA,
        "a state is overwritten by one that does not follow it",
        "chalicelib/log/stores/data_sets.py",
        '[Put(data_set_item(after), equals("state_version", before.state_version))]',
        "[Put(data_set_item(after))]",
        ("tests/stores/log/test_data_stores.py",),
    ),
    Edit(
        _AREA,
        "a deletion removes an entry that was added meanwhile",
        "chalicelib/log/stores/data_sets.py",
        "                writes.append(_head_check(after.id, after.deleted_through))\n",
        "",
        ("tests/stores/log/test_data_stores.py",),
    ),
    Edit(
        _AREA,
        "a truncation removes an entry that was added meanwhile",
        "chalicelib/log/stores/data_sets.py",
        "                writes += [_head_check(data_set_id, last_number) for data_set_id, last_number in open_logs]\n",
        "",
        ("tests/stores/log/test_data_stores.py",),
    ),
    Edit(
        _AREA,
        "two erasures at the same time begin one epoch",
        "chalicelib/log/stores/data_sets.py",
        'owner_change(owner_id, seen={"epoch": owner.epoch}, set_to=changes)',
        "owner_change(owner_id, seen={}, set_to=changes)",
        ("tests/stores/log/test_freshness.py",),
    ),
    Edit(
        _AREA,
        "a request with another content gets the blob of an earlier one",
        "chalicelib/blobs/content.py",
        "return blob.user_id, blob.media_type, blob.digest_md5, blob.size_bytes, blob.span",
        "return blob.user_id, blob.media_type, blob.size_bytes, blob.span",
        ("tests/api/test_repetitions.py",),
    ),
    Edit(
        _AREA,
        "a request with another time span gets the device log of an earlier one",
        "chalicelib/blobs/content.py",
        "return blob.user_id, blob.media_type, blob.digest_md5, blob.size_bytes, blob.span",
        "return blob.user_id, blob.media_type, blob.digest_md5, blob.size_bytes",
        ("tests/api/test_repetitions.py",),
    ),
    Edit(
        _AREA,
        "an upload of another content makes its blob available",
        "chalicelib/blobs/content.py",
        "if (content.size_bytes, content.digest_md5) != (blob.size_bytes, blob.digest_md5):",
        "if content.size_bytes != blob.size_bytes:",
        ("tests/unit/blobs/test_storing.py",),
    ),
    Edit(
        _AREA,
        "a repetition makes another restricted token",
        "chalicelib/accounts/stores/restricted_tokens.py",
        "writes.append(Put(_answer_key(token.user_id, idempotency_key) | answer, absent()))",
        "writes.append(Put(_answer_key(token.user_id, idempotency_key) | answer))",
        ("tests/api/test_repeated_creations.py",),
    ),
    Edit(
        _AREA,
        "a request with other paths gets the restricted token of an earlier one",
        "chalicelib/accounts/restricted_token.py",
        ("    return ends_alike and (token.paths, token.login, token.parent_id) == (\n        earlier.paths,\n"),
        ("    return ends_alike and (earlier.paths, token.login, token.parent_id) == (\n        earlier.paths,\n"),
        ("tests/api/test_repeated_creations.py",),
    ),
    Edit(
        _AREA,
        "a request of another login gets the restricted token of an earlier one",
        "chalicelib/accounts/restricted_token.py",
        (
            "    return ends_alike and (token.paths, token.login, token.parent_id) == (\n"
            "        earlier.paths,\n"
            "        earlier.login,\n"
        ),
        (
            "    return ends_alike and (token.paths, earlier.login, token.parent_id) == (\n"
            "        earlier.paths,\n"
            "        earlier.login,\n"
        ),
        ("tests/api/test_repeated_creations.py",),
    ),
    Edit(
        _AREA,
        "a request for another task gets the task of an earlier one",
        "chalicelib/tasks/manage.py",
        "if earlier.revision == task.revision and as_new != task:",
        "if earlier.revision != task.revision and as_new != task:",
        ("tests/api/test_repeated_creations.py",),
    ),
    Edit(
        _AREA,
        "a request for another task gets the task of an earlier one once that has run",
        "chalicelib/tasks/manage.py",
        "if earlier is None or (earlier.name, earlier.type) != (task.name, task.type):",
        "if earlier is None:",
        ("tests/api/test_repeated_creations.py",),
    ),
    Edit(
        _AREA,
        "two entries get one number",
        "chalicelib/log/stores/record_log.py",
        'condition=all_of(equals("last_number", head.last_number), equals("is_closed", False)),',
        'condition=equals("is_closed", False),',
        ("tests/stores/log/test_data_stores.py",),
    ),
    Edit(
        _AREA,
        "an entry is added after its data set was closed",
        "chalicelib/log/stores/record_log.py",
        'condition=all_of(equals("last_number", head.last_number), equals("is_closed", False)),',
        'condition=equals("last_number", head.last_number),',
        ("tests/stores/log/test_data_stores.py",),
    ),
    Edit(
        _AREA,
        "data is added to an erased data set",
        "chalicelib/log/stores/record_log.py",
        (
            "            if owner.epoch != head.epoch:\n"
            "                raise DataSetNotFoundError(head.id) from refused\n"
        ),
        "",
        ("tests/stores/log/test_data_stores.py",),
    ),
    Edit(
        _AREA,
        "a commit does not see what was written meanwhile",
        "chalicelib/log/stores/record_log.py",
        (
            '        seen = {"epoch": owner.epoch, "changes": owner.change_count}\n'
            "        changes = freshness_changes(owner, freshness)"
        ),
        ('        seen = {"epoch": owner.epoch}\n        changes = freshness_changes(owner, freshness)'),
        ("tests/stores/log/test_commits.py",),
    ),
    Edit(
        _AREA,
        "of two changes to one address at a time, one is told that the address is taken",
        "chalicelib/accounts/stores/accounts.py",
        "            if refused.failed(0):\n                raise WriteConflictError from refused\n",
        "",
        ("tests/stores/accounts/test_accounts.py",),
    ),
    Edit(
        _AREA,
        "two refreshes of one login at a time both end it",
        "chalicelib/sign_in/stores/logins.py",
        "            if refused.failed(_LOGIN):\n                raise WriteConflictError from refused\n",
        "",
        ("tests/stores/sign_in/test_logins.py",),
    ),
)
