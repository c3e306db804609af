"""What the owner of a stage has chosen for its application, kept while the application is away.

The application's stack has it as parameters, as long as there is that stack. So it is also written into the stage's
bucket: a destroyed application comes back as it was, and what a former version does not know survives the way back.
"""

import json
from typing import TYPE_CHECKING

from tools.stages import stacks

if TYPE_CHECKING:
    from boto3.session import Session

KEY = "deployment/application-settings.json"


def read(session: "Session", application_stack: str, bucket: str | None) -> dict[str, str]:
    """The parameters that were chosen last, by name; what the stack says counts more than what was written down.

    The bucket is None for a stage that has none yet.
    """
    return _written(session, bucket) | _deployed(session, application_stack)


def write(session: "Session", application_stack: str, bucket: str) -> None:
    """Write down the parameters that the application's stack has now, unless they stand there already."""
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
