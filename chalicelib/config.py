"""Settings of one stage: the only reader of the environment.

Everything that has a physical name derives it here from the stage, so that a name is spelled once.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass


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

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Settings as the function's environment gives them; absent variables keep their defaults."""
        default = cls()
        origins = environ.get("STRANDLINE_CORS_ORIGINS", "")
        return cls(
            stage=environ.get("STRANDLINE_STAGE", default.stage),
            region=environ.get("AWS_REGION", environ.get("AWS_DEFAULT_REGION", default.region)),
            account_id=environ.get("STRANDLINE_ACCOUNT_ID", default.account_id),
            base_url=environ.get("STRANDLINE_BASE_URL", default.base_url).rstrip("/"),
            version=environ.get("STRANDLINE_VERSION", default.version),
            cors_origins=tuple(origin for origin in (part.strip() for part in origins.split(",")) if origin),
        )

    @property
    def accounts_table(self) -> str:
        """Users, sessions and grants."""
        return f"strandline-{self.stage}-accounts"

    @property
    def data_table(self) -> str:
        """Data sets, the record log and what is derived from it."""
        return f"strandline-{self.stage}-data"

    @property
    def bucket(self) -> str:
        """Blobs, large answers and the log's archive; bucket names are global, hence account and region."""
        return f"strandline-{self.stage}-{self.account_id}-{self.region}"

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
