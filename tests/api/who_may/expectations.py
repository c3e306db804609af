"""Who may: each operation, and who may ask for it about Anna. Written by hand, and derived from nothing.

| name | who |
| --- | --- |
| `owner` | Anna, by a session or by a restricted token; `owner in person` by a session only |
| `view`, `upload`, `note`, `custodian`, `follow`, `admin` | a user to whom Anna granted this alone |
| `window` | a user to whom Anna granted a `view` of the last 24 hours |
| `named` | the grantee that the path names, who has a permission without meaning |
| `related` | a user who granted everything to Anna, and got nothing |
| `any grant` | each of these grantees |
| `signed in` | any user |
| `server` | a server of the stage |
| `reader`, `uploader` | a device with a Nightscout credential of Anna's, of either scope |
| `anyone` | no credential is needed; after `with` stands the proof that the request needs instead |

A user whose grants have expired is nowhere in the table: such a user may what a stranger may. A name may be followed by
one of the operation's paths, if the others differ, or by the case in brackets.
"""

from collections.abc import Mapping

ANYONE = "anyone"
WITH = f"{ANYONE} with "

TABLE = """
status.get                                        anyone
version.get                                       anyone
info.get                                          anyone
time.get                                          anyone
stage.get                                         server
reference.openapi                                 anyone
reference.docs                                    anyone
page.asset                                        anyone

data_sets.create                                  owner, server, upload
data_sets.list                                    owner, server, view, upload, custodian
datasets.list                                     owner, server, view
data_sets.get                                     owner, server
data_sets.update                                  owner, server, upload
data_sets.delete                                  owner, server, custodian
data_sets.delete (of an uploader)                 owner, server, custodian, upload
data.add                                          owner, server, upload
data.delete                                       owner, server, upload
data.erase                                        owner, server
data.read                                         owner, server, view, window
data.export                                       owner, server, view, window
data_status.get                                   anyone
data.upload                                       owner, upload
refusals.list                                     owner, server, custodian
freshness.get                                     owner, server, view, window
data_sources.list                                 owner, server
data_sources.create                               server
data_sources.delete_all                           server
data_sources.get                                  owner, server
data_sources.update                               server
data_sources.delete                               server
data_sources.get_of_session                       server
partners.add_twiist_data                          server
partners.list_sectors                             anyone
summaries.get                                     owner, server, view
summaries.compute                                 owner, server, view
summaries.list_outdated                           server
summaries.list_migratable                         server
agp.get                                           owner, server, view

sessions.login                                    anyone with a password
sessions.refresh                                  server, signed in
sessions.logout                                   anyone
sessions.server_login                             anyone with the secret of the stage
sessions.get                                      server, signed in
sessions.check                                    server
sessions.delete                                   server
users.create                                      anyone
users.get                                         owner, server, custodian
users.get /auth/user                              signed in
users.update                                      owner, server
users.update (to what it is)                      owner, server, custodian
users.update (to another password)                owner, server
users.update (to other roles)                     server
users.update /auth/user                           signed in
users.delete                                      owner, server, custodian
users.delete (without the password)               server, custodian
users.create_custodial                            owner, server
users.create_for_clinic                           server
users.list                                        server
private_pair.get                                  anyone
auth_status.get                                   anyone
access_status.get                                 anyone
grants.list_groups                                owner, server, custodian
grants.list                                       owner, server, custodian
grants.list /access/groups                        server
grants.get                                        owner, server, custodian, admin, named
grants.set                                        owner, server, custodian, admin
grants.set (to nothing)                           owner, server, custodian, admin, named

metadata.list_collections                         anyone
metadata.get                                      owner, server, any grant, related
metadata.put                                      owner, server, custodian
metadata.post                                     owner, server, custodian
metadata.delete                                   owner, server, custodian
metadata.get_private_pair                         server
metadata.delete_private_pair                      server
metadata.list_users                               owner, server, custodian

restricted_tokens.create                          owner, server
restricted_tokens.list                            server
restricted_tokens.delete_all                      server
restricted_tokens.get                             server
restricted_tokens.update                          server
restricted_tokens.delete                          owner, server
logins.list                                       owner in person
logins.delete                                     owner in person

invitations.send                                  owner, server, custodian
invitations.resend                                owner, server, custodian
invitations.cancel                                owner, server, custodian
invitations.list_sent                             owner, server, custodian
invitations.list_received                         owner, server
invitations.accept                                owner, server
invitations.dismiss                               owner, server
sign_up_confirmations.send                        owner, server, custodian
sign_up_confirmations.resend                      anyone
sign_up_confirmations.accept                      anyone with the key of a mailed link
sign_up_confirmations.dismiss                     anyone with the key of a mailed link
sign_up_confirmations.get                         owner, server, custodian
sign_up_confirmations.create                      owner, server, custodian
sign_up_confirmations.cancel                      anyone with the key of a mailed link
password_resets.send                              anyone
password_resets.accept                            anyone with the key of a mailed link

oidc.configuration                                anyone
oidc.certs                                        anyone
oidc.show_sign_in                                 anyone
oidc.sign_in                                      anyone with a password and a form
oidc.tokens                                       anyone with a refresh token
oidc.user_info                                    signed in
oidc.user_info_by_post                            signed in
oidc.cookie_check                                 anyone
oidc.cookie_check_result                          anyone
oidc.login_status                                 anyone
oidc.revoke                                       anyone
oidc.end_session                                  anyone
oidc.end_session_by_post                          anyone
oidc.upload_redirect                              anyone
account_pages.show_new_password                   anyone with the key of a mailed link
account_pages.set_new_password                    anyone with the key of a mailed link
account_pages.show_verify_email                   anyone with the key of a mailed link
account_pages.verify_email                        anyone with the key of a mailed link
account_pages.show_create_account                 anyone
account_pages.create_account                      anyone with a form
account_pages.show_forgotten_password             anyone
account_pages.ask_new_password                    anyone with a form
account_pages.show_invitation                     anyone with the key of an invitation
account_pages.answer_invitation                   anyone with a session cookie and a form
account_pages.open_invitation                     anyone

blobs.list                                        owner, server, view
blobs.create                                      owner, server, upload
blobs.delete_all                                  owner, server, custodian
blobs.get                                         owner, server, view
blobs.read                                        owner, server, view
blobs.delete                                      owner, server, custodian
device_logs.create                                owner, server, upload, custodian
device_logs.list                                  owner, server, view, upload, note, custodian, follow
device_logs.get                                   owner, server, view, upload, note, custodian, follow
device_logs.read                                  owner, server, view, upload, note, custodian, follow

notes.list                                        owner, server, view, window, note, custodian
notes.list_all                                    owner, server, view, window, note, custodian
notes.read                                        owner, server, view, window, note, custodian
notes.read_thread                                 owner, server, view, window, note, custodian
notes.send                                        owner, note
notes.reply                                       owner, note
notes.edit                                        owner
notes.remove                                      owner

metrics.status                                    anyone
metrics.record_for_user                           anyone but with a false token
metrics.record_for_this_user                      signed in
metrics.record_for_server                         server
metrics.read_counts                               server

tasks.list                                        server
tasks.create                                      server
tasks.get                                         server
tasks.update                                      server
tasks.delete                                      server

consents.list                                     anyone
consents.list_of_user                             owner, server
clinics.list_of_clinician                         owner, server
clinics.list_invites                              owner, server
clinics.list_of_patient                           owner, server, custodian
providers.authorize                               anyone

nightscout_credentials.create                     owner in person, view
nightscout_credentials.create (to upload)         owner in person
nightscout_credentials.list                       owner in person, view
nightscout_credentials.revoke                     owner in person
nightscout_credentials.revoke (of a grantee)      owner in person, view
nightscout_documents.list                         owner, server, view
nightscout_documents.restore                      owner, server, upload
nightscout.versions                               anyone
nightscout.status                                 reader, uploader
nightscout.verify_auth                            anyone
nightscout.test_upload                            uploader
nightscout.notices                                anyone
nightscout.authorize                              anyone with the token of a credential
nightscout.entries.find                           reader, uploader
nightscout.entries.find_of                        reader, uploader
nightscout.entries.store                          uploader
nightscout.entries.preview                        uploader
nightscout.entries.delete                         uploader
nightscout.entries.delete_of                      uploader
nightscout.treatments.find                        reader, uploader
nightscout.treatments.store                       uploader
nightscout.treatments.replace                     uploader
nightscout.treatments.delete                      uploader
nightscout.treatments.delete_one                  uploader
nightscout.profiles.list                          reader, uploader
nightscout.profiles.current                       reader, uploader
nightscout.profiles.find                          reader, uploader
nightscout.profiles.store                         uploader
nightscout.profiles.replace                       uploader
nightscout.profiles.delete                        uploader
nightscout.device_statuses.find                   reader, uploader
nightscout.device_statuses.store                  uploader
nightscout.device_statuses.delete                 uploader
nightscout.device_statuses.delete_one             uploader
nightscout.food.list                              reader, uploader
nightscout.food.list_of                           reader, uploader
nightscout.food.store                             uploader
nightscout.food.replace                           uploader
nightscout.food.delete                            uploader
nightscout.activity.find                          reader, uploader
nightscout.activity.store                         uploader
nightscout.activity.replace                       uploader
nightscout.activity.delete                        uploader
nightscout.glance                                 reader, uploader
nightscout.properties                             reader, uploader
nightscout.properties_of                          reader, uploader
nightscout.v3.version                             anyone
nightscout.v3.status                              reader, uploader
nightscout.v3.last_modified                       reader, uploader
nightscout.v3.search                              reader, uploader
nightscout.v3.create                              uploader
nightscout.v3.read                                reader, uploader
nightscout.v3.replace                             uploader
nightscout.v3.change                              uploader
nightscout.v3.delete                              uploader
nightscout.v3.history_since_header                reader, uploader
nightscout.v3.history                             reader, uploader
"""


def _rows() -> dict[str, str]:
    lines = [line for line in TABLE.splitlines() if line]
    split = [line.rsplit("  ", 1) for line in lines]
    rows = {name.strip(): who.strip() for name, who in split}
    if len(rows) < len(lines):
        raise ValueError("a row stands twice in the table")
    return rows


WHO_MAY: Mapping[str, str] = _rows()
"""Callers who may, by the name of the row."""

NAMES: Mapping[str, set[str]] = {
    "owner": {"owner in person", "signed in"},
    "owner by link": {"owner", "signed in"},
    **{
        name: {"signed in", "any grant"}
        for name in ("view", "window", "upload", "note", "custodian", "follow", "admin", "named")
    },
}
"""Further names of the table for a caller."""

REFUSALS: Mapping[tuple[str, str], int] = {
    ("device_logs.read", "*"): 404,
    ("invitations.resend", "*"): 403,
    ("nightscout_credentials.revoke", "view"): 404,
    ("users.get /auth/user", "server"): 404,
    ("users.delete (without the password)", "owner"): 403,
}
"""The status for known callers of a row who may not, if it is not that of the API: they do not learn whether there is
such a thing, or a server has no account to read, or only the password is missing."""

FALSE_TOKENS = "anyone but with a false token"
"""Needs no credential; but a session token that stands for nobody is refused."""


def operation_of(row: str) -> str:
    """The name of the operation of a row."""
    return row.partition(" ")[0]


def path_of(row: str) -> str:
    """The path that a row is about alone; empty for all that have no row of their own."""
    rest = row.partition(" ")[2]
    return rest if rest.startswith("/") else ""


def is_admitted(row: str, who: str) -> bool:
    """Whether the table lets a caller do what a row is about; `nobody` is who has no valid credential."""
    admitted = WHO_MAY[row].split(", ")
    names = {who} | NAMES.get(who, set() if who in ("nobody", "server", "reader", "uploader") else {"signed in"})
    return bool({ANYONE, FALSE_TOKENS} & set(admitted)) or not names.isdisjoint(admitted)


def needs_proof(row: str) -> bool:
    """Whether a proof in the request decides, and no credential."""
    return WHO_MAY[row].startswith(WITH)
