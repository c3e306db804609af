"""The settings of a stage. Only this module reads the environment.

Physical names of resources derive from the stage here, so that each is spelled once.
"""

import os
from collections.abc import Mapping
from dataclasses import field

from chalicelib.frozen import frozen


@frozen
class Settings:
    """The settings of one stage. Each has a default, so that importing the application needs no environment."""

    stage: str = "local"
    region: str = "us-east-1"
    account_id: str = "000000000000"
    base_url: str = "http://127.0.0.1:8000"
    version: str = "0.2.0"
    cors_origins: tuple[str, ...] = ()
    session_lifetime_s: int = 30 * 24 * 3600
    server_session_lifetime_s: int = 24 * 3600
    uploader_minimum_version: str = "2.53.0"
    s3_path_style: bool = False
    """True if the path of an S3 address names the bucket, as endpoints other than AWS's own require."""
    has_gateway: bool = True
    """True if API Gateway and Lambda pass on the replies: they limit their size, and take binary ones as base64."""
    takes_metrics: bool = True
    """True if the stage has a metrics stream; without one, events are accepted and dropped."""
    sign_up: str = "open"
    """Mode of sign-up: for anyone (`open`), for holders of a code (`invitation`), or for nobody (`closed`)."""
    twiist_user_ids: frozenset[str] = frozenset()
    """Accounts that may add data of twiist pumps, as servers may."""
    partner_sectors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Redirect URLs by `partner` or `partner/environment`."""
    verifies_emails: bool = False
    """True if a new account can sign in only after a server has set `emailVerified`."""
    mail_from: str = ""
    """The address that mail comes from; empty for a stage that sends none."""
    mail_folder: str = ""
    """The folder that takes mail as files, instead of a mail server."""
    smtp_host: str = ""
    """The mail server of a home server; a stage on AWS sends by SES."""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    """`starttls`, `tls` or `none`."""
    smtp_user: str = ""
    smtp_password: str = field(default="", repr=False)
    realm: str = "tidepool"
    """The last segment of the OpenID Connect issuer; clients read it from `/info`, or have it built in."""
    web_app_url: str = ""
    """The web page to which the Uploader returns after signing in; empty stands for the stage's own address."""
    oidc_clients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Redirect URLs by OpenID Connect client id. They extend or replace those of the known apps."""
    access_token_lifetime_s: int = 3600
    """A token can be revoked at once, so a shorter lifetime would cost more refreshes and protect little more."""
    data_quota_mb: int = 5_000
    """Limit of the data of one user, deflated as it is stored: a year of Loop takes 130 MB."""
    blob_quota_mb: int = 10_000
    """Limit of the blobs and device logs of one user."""
    device_status_days: int = 60
    """Days that device statuses of the Nightscout API are kept after they were stored."""
    requests_an_hour: int = 20_000
    """Number of requests that a user may make within an hour, at each process."""
    refresh_token_lifetime_s: int = 60 * 24 * 3600
    """The time after which a login ends that is not refreshed; each refresh restarts it."""

    web_refresh_token_lifetime_s: int = 12 * 3600
    """The same for a web app, which gets a new login whenever its page is loaded."""
    allows_local_web_apps: bool = False
    """True if pages of any port of this machine may call, and sign people in as Tidepool's web app does."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """The settings in a function's environment; absent variables keep their defaults."""
        default = cls()
        return cls(
            stage=environ.get("STRANDLINE_STAGE", default.stage),
            region=environ.get("AWS_REGION", environ.get("AWS_DEFAULT_REGION", default.region)),
            account_id=environ.get("STRANDLINE_ACCOUNT_ID", default.account_id),
            base_url=environ.get("STRANDLINE_BASE_URL", default.base_url).rstrip("/"),
            version=environ.get("STRANDLINE_VERSION", default.version),
            takes_metrics=environ.get("STRANDLINE_TAKES_METRICS", "true") == "true",
            sign_up=environ.get("STRANDLINE_SIGN_UP")
            or _sign_up_default(environ.get("STRANDLINE_STAGE", default.stage)),
            verifies_emails=environ.get("STRANDLINE_VERIFIES_EMAILS", "") == "true",
            mail_from=environ.get("STRANDLINE_MAIL_FROM", default.mail_from),
            mail_folder=environ.get("STRANDLINE_MAIL_FOLDER", default.mail_folder),
            smtp_host=environ.get("STRANDLINE_SMTP_HOST", default.smtp_host),
            smtp_port=int(environ.get("STRANDLINE_SMTP_PORT") or default.smtp_port),
            smtp_security=environ.get("STRANDLINE_SMTP_SECURITY") or default.smtp_security,
            smtp_user=environ.get("STRANDLINE_SMTP_USER", default.smtp_user),
            smtp_password=environ.get("STRANDLINE_SMTP_PASSWORD", default.smtp_password),
            s3_path_style="AWS_ENDPOINT_URL" in environ or "AWS_ENDPOINT_URL_S3" in environ,
            twiist_user_ids=frozenset(_words(environ.get("STRANDLINE_TWIIST_USER_IDS", ""))),
            partner_sectors=_urls_by_name(environ.get("STRANDLINE_PARTNER_SECTORS", "")),
            cors_origins=_words(environ.get("STRANDLINE_CORS_ORIGINS", "")),
            realm=environ.get("STRANDLINE_REALM", default.realm),
            web_app_url=environ.get("STRANDLINE_WEB_APP_URL", default.web_app_url).rstrip("/"),
            oidc_clients=_urls_by_name(environ.get("STRANDLINE_OIDC_CLIENTS", "")),
            data_quota_mb=int(environ.get("STRANDLINE_DATA_QUOTA_MB") or default.data_quota_mb),
            blob_quota_mb=int(environ.get("STRANDLINE_BLOB_QUOTA_MB") or default.blob_quota_mb),
            device_status_days=int(environ.get("STRANDLINE_DEVICE_STATUS_DAYS") or default.device_status_days),
            requests_an_hour=int(environ.get("STRANDLINE_REQUESTS_AN_HOUR") or default.requests_an_hour),
            allows_local_web_apps=environ.get("STRANDLINE_LOCAL_WEB_APPS") == "true"
            or environ.get("STRANDLINE_STAGE", default.stage) == "local",
            access_token_lifetime_s=int(
                environ.get("STRANDLINE_ACCESS_TOKEN_LIFETIME_S", default.access_token_lifetime_s)
            ),
        )

    @property
    def issuer(self) -> str | None:
        """The issuer of OpenID Connect tokens; None if the stage does not know its address. Source: auth-api 6."""
        return f"{self.base_url}/realms/{self.realm}" if self.base_url else None

    @property
    def sends_mail(self) -> bool:
        """Whether the stage sends mail: it has to know its address, with which links begin."""
        return bool(self.mail_from and self.base_url)

    @property
    def oidc_keys_name(self) -> str:
        """The secret with the keys that sign ID tokens."""
        return f"strandline/{self.stage}/oidc-keys"

    @property
    def accounts_table(self) -> str:
        """The table of users, sessions and grants."""
        return f"strandline-{self.stage}-accounts"

    @property
    def data_table(self) -> str:
        """The table of data sets, the log and the tiles."""
        return f"strandline-{self.stage}-data"

    @property
    def blobs_table(self) -> str:
        """The table of blobs and device logs, without their contents."""
        return f"strandline-{self.stage}-blobs"

    @property
    def blob_events_queue(self) -> str:
        """The queue of the bucket's notices that a content was uploaded."""
        return f"strandline-{self.stage}-blob-events"

    @property
    def tasks_table(self) -> str:
        """The table of tasks, their names and their run slots."""
        return f"strandline-{self.stage}-tasks"

    @property
    def tasks_queue(self) -> str:
        """The queue of run messages from the dispatcher to the workers."""
        return f"strandline-{self.stage}-tasks"

    @property
    def bucket(self) -> str:
        """The bucket of blobs, large replies and the archive. Bucket names are global, hence account and region."""
        return f"strandline-{self.stage}-{self.account_id}-{self.region}"

    @property
    def invitation_secret_name(self) -> str:
        """The secret with the code for sign-up by invitation."""
        return f"strandline/{self.stage}/invitation-code"

    @property
    def server_secret_name(self) -> str:
        """The secret with which servers sign in."""
        return f"strandline/{self.stage}/server-secret"

    @property
    def metrics_stream(self) -> str:
        """The stream that takes events from requests and delivers them in batches."""
        return f"strandline-{self.stage}-metrics"

    @property
    def metrics_failure_queue(self) -> str:
        """The queue of stream records that are not events, or that could not be stored."""
        return f"strandline-{self.stage}-metrics-failures"

    @property
    def metrics_salt_name(self) -> str:
        """The secret with the salt for the hash of an event's subject."""
        return f"strandline/{self.stage}/metrics-salt"


def _sign_up_default(stage: str) -> str:
    """The default mode of sign-up: a deployed stage is closed until its owner opens it."""
    return "open" if stage == "local" else "closed"


def _words(text: str) -> tuple[str, ...]:
    """The words between commas, trimmed; empty ones are dropped."""
    return tuple(word for word in (part.strip() for part in text.split(",")) if word)


def _urls_by_name(text: str) -> dict[str, tuple[str, ...]]:
    """The URLs by name, in order, in a text of the form `name=url,name=url`."""
    urls: dict[str, tuple[str, ...]] = {}
    for word in _words(text):
        name, _, url = word.partition("=")
        urls[name] = (*urls.get(name, ()), url)
    return urls
