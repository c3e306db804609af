"""Credentials as apps send them. Source: nightscout-api 2."""

import hashlib
from typing import Any

import pytest

from chalicelib.nightscout.sent_credential import MAX_LENGTH, SentCredential, sent_credentials

TOKEN = "phone-0123456789abcdef0123456789abcdef"
DIGEST = hashlib.sha1(TOKEN.encode(), usedforsecurity=False).hexdigest()
OTHER = "0" * 40
JWT = "aaa.bbb.ccc"
OF_TOKEN = SentCredential(DIGEST)
OF_OTHER = SentCredential(OTHER)


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        ({"api-secret": [TOKEN]}, {}, None),
        ({"api-secret": [DIGEST]}, {}, None),
        ({"api-secret": [DIGEST.upper()]}, {}, None),
        ({"api-secret": [f"token={TOKEN}"]}, {}, None),
        ({}, {"secret": [DIGEST]}, None),
        ({}, {"secret": [TOKEN]}, None),
        ({}, {"token": [TOKEN]}, None),
        ({}, {"token": [DIGEST]}, None),
        ({}, {}, {"token": TOKEN}),
        ({}, {}, {"secret": DIGEST}),
        ({}, {}, [{"token": TOKEN}, {"token": OTHER}]),
    ],
)
def test_each_form_leads_to_one_digest(headers: Any, query: Any, body: Any) -> None:
    assert sent_credentials(headers, query, body) == (OF_TOKEN,)


@pytest.mark.parametrize(
    ("headers", "query"), [({"authorization": [f"Bearer {JWT}"]}, {}), ({}, {"token": [JWT]}), ({}, {"secret": [JWT]})]
)
def test_a_jwt_is_one(headers: Any, query: Any) -> None:
    assert sent_credentials(headers, query) == (SentCredential(jwt=JWT),)


@pytest.mark.parametrize("authorization", [f"Bearer {TOKEN}", "Bearer a.b"])
def test_only_a_jwt_is_a_bearer_token(authorization: str) -> None:
    assert sent_credentials({"authorization": [authorization]}, {}) == (SentCredential(),)


@pytest.mark.parametrize("authorization", [f"bearer {JWT}", f"Basic {JWT}", "Bearer", "Bearer ", f"Bearer {JWT} x"])
def test_another_authorization_is_none(authorization: str) -> None:
    assert sent_credentials({"authorization": [authorization]}, {}) == ()
    assert sent_credentials({"authorization": [authorization]}, {"token": [TOKEN]}) == (OF_TOKEN,)


def test_of_several_tokens_the_bearer_token_counts_then_that_of_the_query() -> None:
    bearer, body = {"authorization": [f"Bearer {JWT}"]}, {"token": OTHER}
    assert sent_credentials(bearer, {"token": [TOKEN]}, body) == (SentCredential(jwt=JWT),)
    assert sent_credentials({}, {"token": [TOKEN]}, body) == (OF_TOKEN,)


def test_of_several_secrets_that_of_the_query_counts_then_that_of_the_header() -> None:
    body = {"secret": TOKEN}
    assert sent_credentials({"api-secret": [TOKEN]}, {"secret": [OTHER]}, body) == (OF_OTHER,)
    assert sent_credentials({"api-secret": [OTHER]}, {}, body) == (OF_OTHER,)


def test_a_secret_comes_before_a_token() -> None:
    assert sent_credentials({"api-secret": [OTHER]}, {"token": [TOKEN]}) == (OF_OTHER, OF_TOKEN)


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        ({}, {}, None),
        ({"api-secret": ["null"]}, {}, None),
        ({"api-secret": [""]}, {"token": [""]}, {"token": ""}),
        ({}, {}, []),
        ({}, {}, [[]]),
        ({}, {}, {"token": 1, "secret": None}),
        ({}, {}, [1, {"token": TOKEN}]),
    ],
)
def test_nothing_is_sent_in_other_places_and_forms(headers: Any, query: Any, body: Any) -> None:
    assert sent_credentials(headers, query, body) == ()


def test_a_text_that_is_too_long_is_a_wrong_credential() -> None:
    assert sent_credentials({}, {"token": ["a" * (MAX_LENGTH + 1)]}) == (SentCredential(),)
    assert sent_credentials({}, {"token": ["a." * MAX_LENGTH + "b.c"]}) == (SentCredential(),)
