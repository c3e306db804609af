"""Keeps the settings of a stage's application while the application is not deployed.

The settings are parameters of the application's stack, which may be deleted. So they are also written into the bucket
of the stage: a destroyed application comes back with its settings, and settings that an earlier version does not know
survive a rollback.
"""

import json
from typing import TYPE_CHECKING

from tools.stages import stacks

if TYPE_CHECKING:
    from boto3.session import Session

KEY = "deployment/application-settings.json"


def read(session: "Session", application_stack: str, bucket: str | None) -> dict[str, str]:
    """The parameters that were chosen last, by name; those of the stack take precedence over those in the bucket.

    The bucket is None for a stage that has none yet.
    """
    return _written(session, bucket) | _deployed(session, application_stack)


def write(session: "Session", application_stack: str, bucket: str) -> None:
    """Write the current parameters of the application's stack into the bucket, unless they are there already."""
    written = _written(session, bucket)
    chosen = written | _deployed(session, application_stack)
    if chosen == written:
        return
    body = json.dumps(chosen, indent=2, sort_keys=True) + "\n"
    session.client("s3").put_object(Bucket=bucket, Key=KEY, Body=body.encode(), ContentType="application/json")


def _deployed(session: "Session", stack: str) -> dict[str, str]:
    parameters = stacks.deployed_parameters(session.client("cloudformation"), stack)
    return {name: value for name, value in parameters.items() if name != "Stage"}


def _written(session: "Session", bucket: str | None) -> dict[str, str]:
    if bucket is None:
        return {}
    s3 = session.client("s3")
    try:
        found: dict[str, str] = json.load(s3.get_object(Bucket=bucket, Key=KEY)["Body"])
    except s3.exceptions.NoSuchKey:
        return {}
    return found
