"""Random ids, of which several are made at once."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

from chalicelib.services import random_id

COUNT = 5_000


def test_each_id_is_another_one_in_any_thread() -> None:
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda _number: random_id(), range(COUNT)))
    assert len(set(ids)) == COUNT
    assert all(re.fullmatch("[0-9a-f]{32}", made) for made in ids)


def test_a_child_process_makes_other_ids_than_its_parent() -> None:
    random_id()
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(sending, random_id().encode())
        os._exit(0)
    os.close(sending)
    with os.fdopen(receiving) as pipe:
        of_child = pipe.read()
    os.waitpid(child, 0)
    assert len(of_child) == 32
    assert of_child not in {random_id() for _ in range(1000)}
