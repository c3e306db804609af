"""Keys of the accounts table, built and read in this one place.

| item | pk | sk |
| --- | --- | --- |
| account | `USER#<user id>` | `ACCOUNT` |
| e-mail address of an account | `EMAIL#<address in lower case>` | `ACCOUNT` |
| account in the list of a role | `ROLE#<role>` | `<time of creation, 15 digits>#<user id>` |
| account in the list of all accounts | `ACCOUNTS` | `<time of creation, 15 digits>#<user id>` |
| deleted account, not yet erased | `DELETED` | `<user id>` |
| sign-up whose address has to be verified | `SIGN_UPS` | `<when it expires, 15 digits>#<user id>` |
| session | `SESSION#<token hash>` | `SESSION` |
| session in the list of its user | `USER#<user id>` | `SESSION#<login id>#<token hash>` |
| login by OpenID Connect: first a code, then the login | `OIDC#<login id>` | `OIDC` |
| the same in the list of its user's sessions | `USER#<user id>` | `SESSION#<login id>#OIDC` |
| session of a browser that a person is signed in at (single sign-on) | `SSO#<hash of the cookie>` | `SSO` |
| the same in the list of its user's sessions | `USER#<user id>` | `SESSION#<session id>#SSO#<hash of the cookie>` |
| login by OpenID Connect that was opened in it | `USER#<user id>` | `SESSION#<session id>#<WEB or APP>#<login id>` |
| grant | `USER#<sharer id>` | `GRANT#<grantee id>` |
| grant, seen from the grantee | `USER#<grantee id>` | `GRANTED#<sharer id>` |
| collection of metadata | `USER#<user id>` | `METADATA#<collection>` |
| restricted token | `RESTRICTED#<token id>` | `RESTRICTED` |
| the same, by the key of the request that made it | `REPEATED#<hash of user and key>` | `REPEATED` |
| restricted token in the list of its user | `USER#<user id>` | `RESTRICTED#<time of creation, 15 digits>#<token id>` |
| the same in the list of its login's sessions | `USER#<user id>` | `SESSION#<login>#RESTRICTED#<time>#<id>#<user>` |
| Nightscout credential | `NIGHTSCOUT#<hash>` | `NIGHTSCOUT` |
| the same in the list of its user | `USER#<user id>` | `NIGHTSCOUT#<credential id>` |
| number of a user's Nightscout credentials | `USER#<user id>` | `NIGHTSCOUT_COUNT` |
| counter of sign-in attempts | `ATTEMPTS#<kind>:<hash>` | `<start of the window, seconds>` |
| sign-ins that failed since the last one | `ATTEMPTS#failures:<hash>` | `FAILURES` |
| address or browser that a user signed in from | `USER#<user id>` | `SOURCE#<hash>` |

Ids stand last in a key, so nothing in an id can be taken for another key. DynamoDB takes 2048 bytes of pk and 1024 of
sk, so ids that come out of paths are checked by `fits_key` first.
"""

from chalicelib.access.call import LoginReference
from chalicelib.engine.table import Key

ACCOUNT_SK = "ACCOUNT"
SESSION_SK = "SESSION"
DELETED_PK = "DELETED"
ACCOUNTS_PK = "ACCOUNTS"
SIGN_UPS_PK = "SIGN_UPS"
GRANT_PREFIX = "GRANT#"
GRANTED_PREFIX = "GRANTED#"
METADATA_PREFIX = "METADATA#"
RESTRICTED_SK = "RESTRICTED"
RESTRICTED_PREFIX = "RESTRICTED#"
REPEATED_SK = "REPEATED"
SESSIONS_PREFIX = "SESSION#"
OIDC_SK = "OIDC"
SSO_SK = "SSO"
SSO_PREFIX = "SSO#"
WEB_LOGIN_PREFIX = "WEB#"
APP_LOGIN_PREFIX = "APP#"
FAILURES_SK = "FAILURES"
SOURCE_PREFIX = "SOURCE#"
NIGHTSCOUT_SK = "NIGHTSCOUT"
NIGHTSCOUT_PREFIX = "NIGHTSCOUT#"
NIGHTSCOUT_COUNT_SK = "NIGHTSCOUT_COUNT"


def key(pk: str, sk: str) -> Key:
    """A primary key."""
    return {"pk": pk, "sk": sk}


def user_pk(user_id: str) -> str:
    """The partition of a user."""
    return f"USER#{user_id}"


def account_key(user_id: str) -> Key:
    """An account."""
    return key(user_pk(user_id), ACCOUNT_SK)


def email_key(email: str) -> Key:
    """The item that reserves an e-mail address for one account."""
    return key(f"EMAIL#{email}", ACCOUNT_SK)


def role_pk(role: str) -> str:
    """The list of the accounts of a role."""
    return f"ROLE#{role}"


def role_key(role: str, created_time_ms: int, user_id: str) -> Key:
    """An account in the list of a role."""
    return key(role_pk(role), f"{role_sk_from(created_time_ms)}#{user_id}")


def role_sk_from(time_ms: int) -> str:
    """The lower bound of the accounts that were created at this time or later, in the list of a role."""
    return f"{time_ms:015d}"


def listed_account_key(created_time_ms: int, user_id: str) -> Key:
    """An account in the list of all accounts."""
    return key(ACCOUNTS_PK, f"{role_sk_from(created_time_ms)}#{user_id}")


def deletion_key(user_id: str) -> Key:
    """The receipt of a deleted account."""
    return key(DELETED_PK, user_id)


def unanswered_sign_up_key(expires_time_ms: int, user_id: str) -> Key:
    """A sign-up whose address has to be verified until then."""
    return key(SIGN_UPS_PK, f"{expires_time_ms:015d}#{user_id}")


def session_key(token_hash: str) -> Key:
    """A session."""
    return key(f"SESSION#{token_hash}", SESSION_SK)


def session_list_key(user_id: str, login_id: str, token_hash: str) -> Key:
    """A session in the list of its user."""
    return key(user_pk(user_id), f"{SESSIONS_PREFIX}{login_id}#{token_hash}")


def is_session(sk: str) -> bool:
    """Whether a sort key of the list of a user's sessions is that of a session, not of another credential."""
    listed = sk.removeprefix(SESSIONS_PREFIX).partition("#")[2]
    return listed != OIDC_SK and "#" not in listed


def oidc_login_key(login_id: str) -> Key:
    """A login by OpenID Connect."""
    return key(f"OIDC#{login_id}", OIDC_SK)


def oidc_login_list_key(user_id: str, login_id: str) -> Key:
    """A login by OpenID Connect in the list of its user's sessions, so that ending all sessions ends it too."""
    return session_list_key(user_id, login_id, OIDC_SK)


def sso_session_key(cookie_hash: str) -> Key:
    """The session of a browser."""
    return key(f"{SSO_PREFIX}{cookie_hash}", SSO_SK)


def sso_session_list_key(user_id: str, session_id: str, cookie_hash: str) -> Key:
    """The session of a browser in the list of its user's sessions, so that ending all sessions ends it too."""
    return session_list_key(user_id, session_id, f"{SSO_PREFIX}{cookie_hash}")


def sso_login_key(user_id: str, session_id: str, login_id: str, *, is_web: bool) -> Key:
    """A login that was opened in the session of a browser."""
    prefix = WEB_LOGIN_PREFIX if is_web else APP_LOGIN_PREFIX
    return session_list_key(user_id, session_id, f"{prefix}{login_id}")


def grant_key(sharer_id: str, grantee_id: str) -> Key:
    """A grant."""
    return key(user_pk(sharer_id), GRANT_PREFIX + grantee_id)


def granted_key(sharer_id: str, grantee_id: str) -> Key:
    """A grant, seen from the grantee."""
    return key(user_pk(grantee_id), GRANTED_PREFIX + sharer_id)


def collection_key(user_id: str, name: str) -> Key:
    """A collection of a user's metadata."""
    return key(user_pk(user_id), METADATA_PREFIX + name)


def restricted_token_key(token_id: str) -> Key:
    """A restricted token."""
    return key(f"RESTRICTED#{token_id}", RESTRICTED_SK)


def repeated_request_key(request_hash: str) -> Key:
    """The restricted token that answers the repetitions of a request."""
    return key(f"REPEATED#{request_hash}", REPEATED_SK)


def restricted_token_list_key(user_id: str, created_time_ms: int, token_id: str) -> Key:
    """A restricted token in the list of its user."""
    return key(user_pk(user_id), f"{RESTRICTED_PREFIX}{created_time_ms:015d}#{token_id}")


def restricted_token_login_key(login: LoginReference, user_id: str, created_time_ms: int, token_id: str) -> Key:
    """A restricted token in the list of the sessions of the login that it was made in."""
    listed = f"{RESTRICTED_PREFIX}{created_time_ms:015d}#{token_id}#{user_id}"
    return session_list_key(login.user_id, login.login_id, listed)


def credential_keys(login: LoginReference, listed: str) -> list[Key]:
    """The items of a credential in the list of a login's sessions; `listed` is what follows the login's id there.

    The entry in that list is the last key, so that a removal that stops half-way is found again.
    """
    entry = session_list_key(login.user_id, login.login_id, listed)
    if listed == OIDC_SK:
        return [oidc_login_key(login.login_id), entry]
    if listed.startswith(SSO_PREFIX):
        return [sso_session_key(listed.removeprefix(SSO_PREFIX)), entry]
    if listed.startswith((WEB_LOGIN_PREFIX, APP_LOGIN_PREFIX)):
        return [entry]
    if not listed.startswith(RESTRICTED_PREFIX):
        return [session_key(listed), entry]
    created_time_ms, token_id, user_id = listed.removeprefix(RESTRICTED_PREFIX).split("#", 2)
    return [restricted_token_key(token_id), restricted_token_list_key(user_id, int(created_time_ms), token_id), entry]


def attempts_key(counter: str, starts_s: int) -> Key:
    """A counter of sign-in attempts."""
    return key(f"ATTEMPTS#{counter}", str(starts_s))


def failures_key(name: str) -> Key:
    """The sign-ins that failed since the last one."""
    return key(f"ATTEMPTS#{name}", FAILURES_SK)


def source_key(user_id: str, source_hash: str) -> Key:
    """An address or a browser from which a user signed in."""
    return key(user_pk(user_id), SOURCE_PREFIX + source_hash)


def nightscout_credential_key(credential_hash: str) -> Key:
    """A Nightscout credential."""
    return key(f"{NIGHTSCOUT_PREFIX}{credential_hash}", NIGHTSCOUT_SK)


def nightscout_list_key(user_id: str, credential_id: str) -> Key:
    """A Nightscout credential in the list of its user."""
    return key(user_pk(user_id), f"{NIGHTSCOUT_PREFIX}{credential_id}")


def nightscout_count_key(user_id: str) -> Key:
    """The number of a user's Nightscout credentials."""
    return key(user_pk(user_id), NIGHTSCOUT_COUNT_SK)
