"""Settings of one stage: the only reader of the environment.

Everything that has a physical name derives it here from the stage, so that a name is spelled once.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Settings:
    """What one stage needs to know of the world around it; all has a default: importing the app needs nothing."""

    stage: str = "local"
    region: str = "us-east-1"
    account_id: str = "000000000000"
    base_url: str = "http://127.0.0.1:8000"
    version: str = "0.1.0"
    cors_origins: tuple[str, ...] = ()
    session_lifetime_s: int = 30 * 24 * 3600
    server_session_lifetime_s: int = 24 * 3600
    uploader_minimum_version: str = "2.53.0"
    s3_path_style: bool = False
    """Whether the bucket stands in the path of an address, as on endpoints other than AWS's own."""
    takes_metrics: bool = True
    """Whether the stage has a stream for events; without one they are taken and dropped."""
    sign_up: str = "open"
    """Who may make an account of their own: `open` to anyone, by `invitation` code, or `closed`."""
    twiist_user_ids: frozenset[str] = frozenset()
    """Accounts that may add data of twiist pumps, beside servers."""
    partner_sectors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Redirect addresses by `partner` or `partner/environment`."""
    verifies_emails: bool = False
    """Whether a new account can sign in only after a server has set `emailVerified`."""
    realm: str = "tidepool"
    """The last part of the issuer of OpenID Connect; clients read it from `/info`, or have it built in."""
    web_app_url: str = ""
    """Where the web page is that the Uploader comes back to after signing in; empty is the stage's own address."""
    oidc_clients: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Redirect addresses by client id of OpenID Connect, beside those of the known apps or instead of them."""
    access_token_lifetime_s: int = 3600
    """Tokens are revocable at once, so a shorter life would cost a refresh more often and protect little more."""
    refresh_token_lifetime_s: int = 60 * 24 * 3600
    """How long a login lasts that is not refreshed; each refresh starts it anew."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Settings as the function's environment gives them; absent variables keep their defaults."""
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
            s3_path_style="AWS_ENDPOINT_URL" in environ or "AWS_ENDPOINT_URL_S3" in environ,
            twiist_user_ids=frozenset(_words(environ.get("STRANDLINE_TWIIST_USER_IDS", ""))),
            partner_sectors=_sectors(environ.get("STRANDLINE_PARTNER_SECTORS", "")),
            cors_origins=_words(environ.get("STRANDLINE_CORS_ORIGINS", "")),
            realm=environ.get("STRANDLINE_REALM", default.realm),
            web_app_url=environ.get("STRANDLINE_WEB_APP_URL", default.web_app_url).rstrip("/"),
            oidc_clients=_sectors(environ.get("STRANDLINE_OIDC_CLIENTS", "")),
            access_token_lifetime_s=int(
                environ.get("STRANDLINE_ACCESS_TOKEN_LIFETIME_S", default.access_token_lifetime_s)
            ),
        )

    @property
    def issuer(self) -> str | None:
        """Who issues tokens by OpenID Connect; None for a stage that was not told its address. Source: auth-api 6."""
        return f"{self.base_url}/realms/{self.realm}" if self.base_url else None

    @property
    def oidc_keys_name(self) -> str:
        """The keys that sign ID tokens, in Secrets Manager."""
        return f"strandline/{self.stage}/oidc-keys"

    @property
    def accounts_table(self) -> str:
        """Users, sessions and grants."""
        return f"strandline-{self.stage}-accounts"

    @property
    def data_table(self) -> str:
        """Data sets, the record log and what is derived from it."""
        return f"strandline-{self.stage}-data"

    @property
    def blobs_table(self) -> str:
        """Blobs and device logs, without their contents."""
        return f"strandline-{self.stage}-blobs"

    @property
    def blob_events_queue(self) -> str:
        """Takes the bucket's notices that a content has come."""
        return f"strandline-{self.stage}-blob-events"

    @property
    def tasks_table(self) -> str:
        """Tasks, their names and the slots they run in."""
        return f"strandline-{self.stage}-tasks"

    @property
    def tasks_queue(self) -> str:
        """Takes the dispatcher's orders to the workers of tasks."""
        return f"strandline-{self.stage}-tasks"

    @property
    def bucket(self) -> str:
        """Blobs, large answers and the log's archive; bucket names are global, hence account and region."""
        return f"strandline-{self.stage}-{self.account_id}-{self.region}"

    @property
    def invitation_secret_name(self) -> str:
        """The code that opens sign-up by invitation, in Secrets Manager."""
        return f"strandline/{self.stage}/invitation-code"

    @property
    def server_secret_name(self) -> str:
        """The secret that servers sign in with, in Secrets Manager."""
        return f"strandline/{self.stage}/server-secret"

    @property
    def metrics_stream(self) -> str:
        """Takes events from requests and delivers them in batches."""
        return f"strandline-{self.stage}-metrics"

    @property
    def metrics_failure_queue(self) -> str:
        """Where records of the metrics stream go that are no events, or that could not be kept."""
        return f"strandline-{self.stage}-metrics-failures"

    @property
    def metrics_salt_name(self) -> str:
        """The secret that goes into the hash of an event's subject, in Secrets Manager."""
        return f"strandline/{self.stage}/metrics-salt"


def _sign_up_default(stage: str) -> str:
    """A deployed stage is closed until its owner opens it."""
    return "open" if stage == "local" else "closed"


def _words(text: str) -> tuple[str, ...]:
    """What stands between the commas."""
    return tuple(word for word in (part.strip() for part in text.split(",")) if word)


def _sectors(text: str) -> dict[str, tuple[str, ...]]:
    """`partner=address,partner/environment=address`: the addresses of each, in order."""
    sectors: dict[str, tuple[str, ...]] = {}
    for word in _words(text):
        sector, _, address = word.partition("=")
        sectors[sector] = (*sectors.get(sector, ()), address)
    return sectors
