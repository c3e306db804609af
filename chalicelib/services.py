"""Connects ports to stores: the only module that imports stores.

Nothing here makes a client or reads a secret; stores do so when they are first used.
"""

import os
import platform
import secrets
import time
from collections.abc import Callable

from chalicelib.access.quotas import Quotas, RequestCounts
from chalicelib.accounts.ports import AccountPorts, Passwords
from chalicelib.accounts.stores.accounts import StoredAccounts
from chalicelib.accounts.stores.attempts import StoredSignInAttempts
from chalicelib.accounts.stores.grants import StoredGrants
from chalicelib.accounts.stores.known_sources import StoredKnownSources
from chalicelib.accounts.stores.nightscout_credentials import StoredNightscoutCredentials
from chalicelib.accounts.stores.passwords import Argon2Passwords
from chalicelib.accounts.stores.profiles import StoredProfiles
from chalicelib.accounts.stores.restricted_tokens import StoredRestrictedTokens
from chalicelib.accounts.stores.sessions import StoredSessions
from chalicelib.accounts.stores.unanswered_sign_ups import StoredUnansweredSignUps
from chalicelib.blobs.ports import BlobPorts
from chalicelib.blobs.stores.blobs import StoredBlobs
from chalicelib.blobs.stores.contents import StoredContents
from chalicelib.config import Settings
from chalicelib.confirmations.ports import ConfirmationPorts
from chalicelib.confirmations.stores.confirmations import StoredMailedKeys, StoredSignUpConfirmations
from chalicelib.data_sources.ports import DataSourcePorts
from chalicelib.data_sources.stores.data_sources import StoredDataSources
from chalicelib.engine.aws.clients import sdk_version
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.engine.engine import Engine
from chalicelib.engine.secrets import cached_secret
from chalicelib.frozen import frozen
from chalicelib.invitations.ports import InvitationPorts
from chalicelib.invitations.stores.invitations import StoredInvitations
from chalicelib.log.ports import DataPorts
from chalicelib.log.stores.archive import StoredArchive
from chalicelib.log.stores.backlog import StoredBacklogs
from chalicelib.log.stores.data_sets import StoredDataSets
from chalicelib.log.stores.record_log import StoredRecordLog
from chalicelib.mail.ports import MailTerms
from chalicelib.mail.stores.mailer import EngineMailer
from chalicelib.mail.stores.orders import QueuedMailOrders
from chalicelib.metrics.ports import MetricsPorts
from chalicelib.metrics.stores.archive import QueuedRejectedRecords, StoredEventArchive
from chalicelib.metrics.stores.counts import StoredEventCounts
from chalicelib.metrics.stores.stream import DroppedEvents, StreamedEvents, cached_salt
from chalicelib.nightscout.ports import NightscoutPorts
from chalicelib.nightscout.stores.device_statuses import StoredDeviceStatuses
from chalicelib.notes.ports import NotePorts
from chalicelib.notes.stores.notes import StoredNotes
from chalicelib.observability import count, logger
from chalicelib.reading.ports import ReadingPorts
from chalicelib.reading.read_ahead import SessionsAhead
from chalicelib.reading.stores.large_replies import StoredLargeReplies
from chalicelib.reading.stores.read_ahead import sessions_ahead
from chalicelib.sign_in.ports import SignInPorts
from chalicelib.sign_in.provider import Provider, oidc_clients
from chalicelib.sign_in.stores.logins import StoredOidcLogins
from chalicelib.sign_in.stores.signed_tokens import JoseTokens
from chalicelib.sign_in.stores.signing_keys import signing_keys
from chalicelib.sign_in.stores.sso_sessions import StoredSsoSessions
from chalicelib.summaries.ports import SummaryPorts
from chalicelib.tasks.ports import TaskPorts
from chalicelib.tasks.stores.queue import QueuedTaskMessages
from chalicelib.tasks.stores.slots import StoredTaskSlots
from chalicelib.tasks.stores.tasks import StoredTasks
from chalicelib.tiles.ports import TilePorts
from chalicelib.tiles.stores.hour_sums import StoredHourSums
from chalicelib.tiles.stores.purge import StoredPurgeRequests
from chalicelib.tiles.stores.sweep import StoredSweepRequests
from chalicelib.tiles.stores.tiles import StoredTiles
from chalicelib.uploads.ports import UploadPorts
from chalicelib.uploads.stores.rejections import StoredRejections

BYTES_PER_MB = 1_000_000


@frozen
class Services:
    """Everything outside the rules that a request or an event may need: a bundle of ports for each package."""

    settings: Settings
    now_ms: Callable[[], int]
    new_id: Callable[[], str]
    """16 random bytes as 32 lower-case hexadecimal digits."""
    new_token: Callable[[], str]
    """32 random bytes, in letters, digits, `-` and `_`: fit for a header and for one segment of a path."""
    count: Callable[[str, int], None]
    """Adds a number to one of the stage's metrics, by its name."""
    server_secret: Callable[[], str]
    invitation_code: Callable[[], str]
    quotas: Quotas
    requests: RequestCounts
    sessions_ahead: SessionsAhead
    accounts: AccountPorts
    sign_in: SignInPorts
    invitations: InvitationPorts
    confirmations: ConfirmationPorts
    data: DataPorts
    tiles: TilePorts
    uploads: UploadPorts
    data_sources: DataSourcePorts
    reading: ReadingPorts
    summaries: SummaryPorts
    blobs: BlobPorts
    notes: NotePorts
    metrics: MetricsPorts
    nightscout: NightscoutPorts
    tasks: TaskPorts
    end_process: Callable[[], None]
    """Ends this process at once, with everything that runs in it: a call that hangs cannot be stopped otherwise."""


@frozen
class Surroundings:
    """Clock, chance, counters and the hashing of passwords: what a test or another home of the application replaces."""

    now_ms: Callable[[], int]
    new_id: Callable[[], str]
    """The same as `Services.new_id`."""
    new_token: Callable[[], str]
    """The same as `Services.new_token`."""
    count: Callable[[str, int], None]
    passwords: Passwords
    end_process: Callable[[], None]
    """The same as `Services.end_process`."""


def machine() -> Surroundings:
    """The surroundings of a process that serves people."""
    return Surroundings(system_now_ms, random_id, random_token, count, Argon2Passwords(), exit_at_once)


def build_services(settings: Settings, engine: Engine, surroundings: Surroundings | None = None) -> Services:
    """The services of a stage on an engine; the surroundings default to the machine's."""
    around = surroundings or machine()
    quotas = stage_quotas(settings, around.count)
    server_secret = cached_secret(engine.secrets, settings.server_secret_name)
    accounts = _account_ports(engine, around)
    data = DataPorts(StoredDataSets(engine.data, quotas.data_bytes), StoredRecordLog(engine.data, quotas.data_bytes))
    tiles = _tile_ports(engine, data, around)
    data_sources = DataSourcePorts(StoredDataSources(engine.data), data)
    reading = _reading_ports(engine, tiles, data_sources)
    mail = _Mail(QueuedMailOrders(engine.task_queue), EngineMailer(engine.mail), mail_terms(settings))
    return Services(
        settings=settings,
        now_ms=around.now_ms,
        new_id=around.new_id,
        new_token=around.new_token,
        count=around.count,
        server_secret=server_secret,
        invitation_code=cached_secret(engine.secrets, settings.invitation_secret_name),
        quotas=quotas,
        requests=RequestCounts(settings.requests_an_hour, quotas.report),
        sessions_ahead=sessions_ahead(engine, accounts.sessions),
        accounts=accounts,
        sign_in=_sign_in_ports(settings, engine, accounts, around),
        invitations=InvitationPorts(
            StoredInvitations(engine.accounts), accounts, server_secret, mail.orders, mail.mailer, mail.terms
        ),
        confirmations=_confirmation_ports(engine, accounts, mail, around),
        data=data,
        tiles=tiles,
        uploads=UploadPorts(data, StoredRejections(engine.data)),
        data_sources=data_sources,
        reading=reading,
        summaries=SummaryPorts(data.data_sets, data.log, tiles.tiles, tiles.hour_sums),
        blobs=BlobPorts(StoredBlobs(engine.blobs, quotas), StoredContents(engine.objects)),
        notes=NotePorts(StoredNotes(engine.accounts), accounts.profiles),
        metrics=_metrics_ports(settings, engine),
        nightscout=NightscoutPorts(
            data,
            tiles.tiles,
            StoredDeviceStatuses(engine.data, settings.device_status_days, quotas.data_bytes),
            reading,
        ),
        tasks=_task_ports(engine, around),
        end_process=around.end_process,
    )


@frozen
class _Mail:
    """The mail of a stage, which several packages send."""

    orders: QueuedMailOrders
    mailer: EngineMailer
    terms: MailTerms


def _account_ports(engine: Engine, around: Surroundings) -> AccountPorts:
    return AccountPorts(
        accounts=StoredAccounts(engine.accounts),
        sessions=StoredSessions(engine.accounts),
        restricted_tokens=StoredRestrictedTokens(engine.accounts),
        grants=StoredGrants(engine.accounts, around.now_ms),
        profiles=StoredProfiles(engine.accounts),
        passwords=around.passwords,
        sign_in_attempts=StoredSignInAttempts(engine.accounts),
        known_sources=StoredKnownSources(engine.accounts),
        nightscout_credentials=StoredNightscoutCredentials(engine.accounts),
        unanswered_sign_ups=StoredUnansweredSignUps(engine.accounts),
    )


def _sign_in_ports(settings: Settings, engine: Engine, accounts: AccountPorts, around: Surroundings) -> SignInPorts:
    return SignInPorts(
        accounts=accounts,
        logins=StoredOidcLogins(engine.accounts),
        sso_sessions=StoredSsoSessions(engine.accounts),
        signed_tokens=JoseTokens(signing_keys(engine.secrets, settings.oidc_keys_name)),
        provider=openid_provider(settings),
        new_token=around.new_token,
    )


def _confirmation_ports(engine: Engine, accounts: AccountPorts, mail: _Mail, around: Surroundings) -> ConfirmationPorts:
    return ConfirmationPorts(
        accounts,
        StoredMailedKeys(engine.accounts),
        StoredSignUpConfirmations(engine.accounts),
        mail.orders,
        mail.mailer,
        mail.terms,
        around.new_token,
    )


def _tile_ports(engine: Engine, data: DataPorts, around: Surroundings) -> TilePorts:
    return TilePorts(
        data=data,
        tiles=StoredTiles(engine.data),
        hour_sums=StoredHourSums(engine.data),
        archive=StoredArchive(engine.objects),
        backlog=StoredBacklogs(engine.data),
        sweep_requests=StoredSweepRequests(engine.data),
        purge_requests=StoredPurgeRequests(engine.data),
        now_ms=around.now_ms,
        new_id=around.new_id,
    )


def _reading_ports(engine: Engine, tiles: TilePorts, data_sources: DataSourcePorts) -> ReadingPorts:
    return ReadingPorts(
        data_sets=tiles.data.data_sets,
        log=tiles.data.log,
        backlog=tiles.backlog,
        tiles=tiles.tiles,
        sources=data_sources.sources,
        large_replies=StoredLargeReplies(engine.objects),
        at_once=engine.at_once,
    )


def _metrics_ports(settings: Settings, engine: Engine) -> MetricsPorts:
    return MetricsPorts(
        salt=cached_salt(engine.secrets, settings.metrics_salt_name),
        stream=StreamedEvents(engine.metrics_stream) if settings.takes_metrics else DroppedEvents(),
        archive=StoredEventArchive(engine.objects),
        counts=StoredEventCounts(engine.data, settings.metrics_stream),
        rejected=QueuedRejectedRecords(engine.metrics_failures),
    )


def _task_ports(engine: Engine, around: Surroundings) -> TaskPorts:
    return TaskPorts(
        StoredTasks(engine.tasks),
        StoredTaskSlots(engine.tasks),
        QueuedTaskMessages(engine.task_queue),
        around.now_ms,
        around.new_id,
    )


def stage_quotas(settings: Settings, count_up: Callable[[str, int], None]) -> Quotas:
    """The quotas of a stage. Those that are nearly used are counted for the alarm, and logged with the user's id."""

    def report(quota: str, user_id: str) -> None:
        logger.warning("quota nearly used", quota=quota, user=user_id)
        count_up("QuotasNearlyUsed", 1)

    return Quotas(settings.data_quota_mb * BYTES_PER_MB, settings.blob_quota_mb * BYTES_PER_MB, report)


def mail_terms(settings: Settings) -> MailTerms:
    """The terms on which a stage sends mail: on or off, and the address that links begin with."""
    return MailTerms(settings.sends_mail, f"{settings.issuer or ''}/login-actions")


def openid_provider(settings: Settings) -> Provider:
    """The stage as a provider of OpenID Connect."""
    clients = oidc_clients(
        settings.base_url,
        settings.web_app_url,
        settings.oidc_clients,
        takes_loopback=settings.allows_local_web_apps,
    )
    return Provider(
        issuer=settings.issuer or "",
        realm=settings.realm,
        clients=clients,
        web_origins=frozenset(origin for client in clients.values() for origin in client.origins),
        access_token_lifetime_s=settings.access_token_lifetime_s,
        refresh_token_lifetime_s=settings.refresh_token_lifetime_s,
        web_refresh_token_lifetime_s=settings.web_refresh_token_lifetime_s,
    )


def system_now_ms() -> int:
    """Milliseconds since the epoch, by the machine's clock."""
    return time.time_ns() // 1_000_000


_ID_BYTES = 16
_IDS_AT_ONCE = 64
_ready_ids: list[str] = []
# A child process must not make the ids that its parent makes.
os.register_at_fork(after_in_child=_ready_ids.clear)


def random_id() -> str:
    """16 random bytes as 32 lower-case hexadecimal digits. Source: data-model 2, Other.

    Several are made at once: asking the system for random bytes takes as long as checking a small record, and a request
    with a thousand records needs a thousand ids.
    """
    try:
        return _ready_ids.pop()
    except IndexError:  # in any thread; each keeps the last of its own
        digits = os.urandom(_ID_BYTES * _IDS_AT_ONCE).hex()
        made = [digits[start : start + 2 * _ID_BYTES] for start in range(0, len(digits), 2 * _ID_BYTES)]
        last = made.pop()
        _ready_ids.extend(made)
        return last


def random_token() -> str:
    """32 random bytes in the URL-safe alphabet of base64."""
    return secrets.token_urlsafe(32)


def exit_at_once() -> None:
    """End the process with code 1."""
    os._exit(1)


_services: Services | None = None


def services() -> Services:
    """The services of this process, built once from the environment."""
    global _services
    if _services is None:
        settings = Settings.from_env()
        logger.info("start", version=settings.version, python=platform.python_version(), botocore=sdk_version())
        _services = build_services(settings, aws_engine(settings))
    return _services


def override(replacement: Services | None) -> None:
    """Replace the services by those of a test; None restores the services of the environment."""
    global _services
    _services = replacement
