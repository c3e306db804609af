"""Codes and logins of OpenID Connect in the accounts table: one item, and one in the list of the user's sessions."""

from typing import TYPE_CHECKING, Any

from chalicelib.access.call import Session
from chalicelib.accounts.stores.keys import oidc_login_key, oidc_login_list_key
from chalicelib.accounts.stores.sessions import session_items
from chalicelib.accounts.stores.transactions import account_check, transacted
from chalicelib.config import Settings
from chalicelib.engine import dynamodb
from chalicelib.sign_in.ports import AuthorizationCode, OidcLogin

if TYPE_CHECKING:
    from chalicelib.accounts.stores.keys import Item

IS_NEW = "attribute_not_exists(pk)"
IS_CODE = "attribute_exists(code_challenge)"


class DynamoOidcLogins:
    """The port `OidcLogins` on DynamoDB."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._table = settings.accounts_table

    def find(self, login_id: str) -> AuthorizationCode | OidcLogin | None:
        """One read."""
        with dynamodb.refusals():
            found = dynamodb.client(self._settings).get_item(
                TableName=self._table, Key=oidc_login_key(login_id), ConsistentRead=True
            )
        if "Item" not in found:
            return None
        item = found["Item"]
        return _code(item) if "code_challenge" in item else _login(item)

    def add_code(self, code: AuthorizationCode, password_version: int) -> bool:
        """One transaction of two writes, which rests on the account and its password."""
        return self._write(_code_item(code), account_check(self._table, code.user_id, password_version), IS_NEW)

    def redeem(self, code: AuthorizationCode, login: OidcLogin, session: Session) -> bool:
        """One transaction: the login takes the place of the code, so that a code is redeemed once."""
        return self._write(_login_item(login), account_check(self._table, code.user_id), IS_CODE, session)

    def rotate(self, old: OidcLogin, new: OidcLogin, session: Session) -> bool:
        """One transaction: refreshes of a login come one after the other, and none after its end."""
        version: Item = {":version": {"N": str(old.version)}}
        account = account_check(self._table, old.user_id)
        return self._write(_login_item(new), account, "version = :version", session, version)

    def _write(
        self,
        item: "Item",
        account: Any,
        condition: str,
        session: Session | None = None,
        values: "Item | None" = None,
    ) -> bool:
        listed_key = oidc_login_list_key(item["user_id"]["S"], item["login_id"]["S"])
        listed = listed_key | {"expires_at_s": item["expires_at_s"]}
        guarded: dict[str, Any] = {"TableName": self._table, "Item": item, "ConditionExpression": condition}
        if values is not None:
            guarded["ExpressionAttributeValues"] = values
        more = [listed, *(() if session is None else session_items(session))]
        writes: list[Any] = [{"Put": guarded}, *({"Put": {"TableName": self._table, "Item": one}} for one in more)]
        return transacted(self._settings, [*writes, account])


def _common_item(granted: AuthorizationCode | OidcLogin) -> "Item":
    return oidc_login_key(granted.login_id) | {
        "login_id": {"S": granted.login_id},
        "user_id": {"S": granted.user_id},
        "client_id": {"S": granted.client_id},
        "scope": {"S": granted.scope},
        "signed_in_s": {"N": str(granted.signed_in_s)},
        "expires_time_ms": {"N": str(granted.expires_time_ms)},
        "expires_at_s": {"N": str(-(-granted.expires_time_ms // 1000))},
    }


def _code_item(code: AuthorizationCode) -> "Item":
    item = _common_item(code) | {
        "redirect_uri": {"S": code.redirect_uri},
        "code_challenge": {"S": code.code_challenge},
    }
    return item if code.nonce is None else item | {"nonce": {"S": code.nonce}}


def _login_item(login: OidcLogin) -> "Item":
    return _common_item(login) | {
        "current": {"L": [{"S": one} for one in login.current]},
        "previous": {"S": login.previous},
        "rotated_time_ms": {"N": str(login.rotated_time_ms)},
        "version": {"N": str(login.version)},
    }


def _code(item: "Item") -> AuthorizationCode:
    return AuthorizationCode(
        login_id=item["login_id"]["S"],
        user_id=item["user_id"]["S"],
        client_id=item["client_id"]["S"],
        scope=item["scope"]["S"],
        redirect_uri=item["redirect_uri"]["S"],
        code_challenge=item["code_challenge"]["S"],
        nonce=item["nonce"]["S"] if "nonce" in item else None,
        signed_in_s=int(item["signed_in_s"]["N"]),
        expires_time_ms=int(item["expires_time_ms"]["N"]),
    )


def _login(item: "Item") -> OidcLogin:
    return OidcLogin(
        login_id=item["login_id"]["S"],
        user_id=item["user_id"]["S"],
        client_id=item["client_id"]["S"],
        scope=item["scope"]["S"],
        signed_in_s=int(item["signed_in_s"]["N"]),
        expires_time_ms=int(item["expires_time_ms"]["N"]),
        current=tuple(one["S"] for one in item["current"]["L"]),
        previous=item["previous"]["S"],
        rotated_time_ms=int(item["rotated_time_ms"]["N"]),
        version=int(item["version"]["N"]),
    )
