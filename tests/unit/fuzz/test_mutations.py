"""Tests that mutations are repeated by their seed, change what they are given, and reach every place."""

import json
from itertools import islice
from random import Random
from typing import Any

from tools.fuzz.hostile import hostile_requests
from tools.fuzz.mutations import mutated, mutated_text
from tools.fuzz.people import NOBODY, ROLES, Role, World

VALUE: dict[str, Any] = {"a": [1, {"b": "c"}], "d": {"e": None}}
WORLD = World((), {"userId": "a-user", "dataSetId": "a-set"}, "anna@example.org")


def seeded(seed: str) -> Random:
    """A source of choices."""
    return Random(seed)  # noqa: S311  inputs of a test, no secret


def test_the_same_seed_makes_the_same_mutations() -> None:
    def written(seed: str) -> list[str]:
        random = seeded(seed)
        return [json.dumps(mutated(VALUE, random)) for _ in range(50)]

    assert written("a") == written("a")
    assert written("a") != written("b")


def test_a_mutation_leaves_the_original_alone_and_changes_each_member_some_time() -> None:
    before = json.dumps(VALUE)
    random = seeded("a seed")
    found = [mutated(VALUE, random) for _ in range(500)]
    assert json.dumps(VALUE) == before
    assert sum(value == VALUE for value in found) < 50
    objects = [value for value in found if isinstance(value, dict)]
    for member in VALUE:
        assert any(value.get(member) != VALUE[member] for value in objects)
        assert any(member not in value for value in objects)
    assert any(isinstance(value.get("a"), list) and value["a"][1:] not in ([], VALUE["a"][1:]) for value in objects)


def test_a_mutated_text_is_mostly_no_json_any_more() -> None:
    random = seeded("a seed")
    texts = [mutated_text(json.dumps(VALUE).encode(), random) for _ in range(300)]

    def is_json(text: bytes) -> bool:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return False
        return True

    assert 150 < sum(not is_json(text) for text in texts) < 300


def test_requests_are_the_same_for_a_seed_and_of_every_kind() -> None:
    for name in ROLES:
        role = Role(name, {})

        def made(seed: str, role: Role = role) -> list[tuple[str, str, bytes]]:
            requests = hostile_requests(WORLD, role, seeded(seed), lambda _: False)
            return [(request.method, request.path, request.body) for request in islice(requests, 200)]

        assert made("a") == made("a")
        assert made("a") != made("b")
        bodies = {path.split("/")[1] for _, path, body in made("a") if body}
        assert ("api" in bodies) == (role.is_nightscout or name == NOBODY), name
        assert ("v1" in bodies) == (not role.is_nightscout), name


def test_excluded_operations_are_not_asked_with_bodies() -> None:
    requests = hostile_requests(WORLD, Role("owner", {}), seeded("a"), lambda name: name.startswith("users."))
    assert not any(request.operation.endswith("/auth/user") for request in islice(requests, 2000))
