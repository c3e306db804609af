"""Tests a data folder that is opened for use."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from chalicelib.access.call import platform_call
from chalicelib.accounts.bodies import new_user
from chalicelib.accounts.manage import create_user
from strandline.cli.errors import CommandError
from strandline.home.opening import HOME, open_home, server_secret_path


def refusal_of(folder: Path) -> str:
    """The sentence with which a folder is refused."""
    with pytest.raises(CommandError) as refusal, open_home(folder):
        pass
    return str(refusal.value)


def test_what_was_stored_is_there_when_the_folder_is_opened_again(tmp_path: Path) -> None:
    email = "anna@example.org"
    with open_home(tmp_path / "data") as home:
        call = platform_call(home.services.now_ms(), home.services.new_id)
        user = new_user({"username": email, "emails": [email], "password": "a-password", "roles": ["patient"]})
        account = create_user(call, user, home.services.accounts, email_verified=True)

    with open_home(tmp_path / "data", must_exist=True) as home:
        assert home.services.accounts.accounts.find(account.user_id) == account


def test_the_secrets_are_created_once(tmp_path: Path) -> None:
    def secrets() -> list[str]:
        with open_home(tmp_path / "data") as home:
            services, settings = home.services, home.settings
            assert orjson.loads(server_secret_path(home).read_bytes())["text"] == services.server_secret()
            names = (settings.server_secret_name, settings.invitation_secret_name, settings.metrics_salt_name)
            return [home.engine.secrets.get(name).text for name in names]

    first = secrets()

    assert [len(secret) for secret in first] == [48, 16, 48]
    assert secrets() == first


def test_the_signing_keys_stay_those_of_the_first_sign_in(tmp_path: Path) -> None:
    def keys() -> bytes:
        settings = replace(HOME, base_url="http://127.0.0.1:9000")
        with open_home(tmp_path / "data", settings) as home:
            return orjson.dumps(home.services.sign_in.signed_tokens.public_keys())

    assert keys() == keys()


def test_a_folder_without_data_is_refused_where_it_must_exist(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="has no data of a home server"), open_home(tmp_path, must_exist=True):
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_damaged_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with open_home(tmp_path / "data"):
        pass
    (tmp_path / "data" / "strandline.db").write_bytes(b"no database, " * 1000)

    assert refusal_of(tmp_path / "data") == (
        f"the database {tmp_path}/data/strandline.db cannot be used: file is not a database."
    )


def test_a_newer_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with open_home(tmp_path / "data"):
        pass
    with sqlite3.connect(tmp_path / "data" / "strandline.db") as database:
        database.execute("PRAGMA user_version = 999")
    database.close()

    assert refusal_of(tmp_path / "data") == (
        f"the database {tmp_path}/data/strandline.db was written by a newer version of Strandline."
    )


def test_a_damaged_secret_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with open_home(tmp_path / "data") as home:
        server_secret_path(home).write_bytes(b"half")

    assert refusal_of(tmp_path / "data") == (
        f"the folder {tmp_path}/data cannot be used: the file of the secret strandline/home/server-secret is damaged."
    )


def test_a_folder_of_other_files_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()

    assert refusal_of(tmp_path) == f"the folder {tmp_path} has files in it, but no strandline.db: name an empty one."
