"""A right of a function: an action on a resource, both as an IAM policy names them."""

from dataclasses import dataclass

from chalicelib.config import Settings

STAGE = Settings(stage="${Stage}", account_id="${AWS::AccountId}", region="${AWS::Region}")
"""Settings whose names are those of the templates."""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """An action on a resource."""

    action: str
    """With its service, as in `dynamodb:GetItem`."""
    resource: str
    """An ARN with the variables of the templates."""


def arn(service: str, name: str) -> str:
    """The ARN of a resource of the stage."""
    return f"arn:${{AWS::Partition}}:{service}:{STAGE.region}:{STAGE.account_id}:{name}"


def table_arn(name: str) -> str:
    """The ARN of a table, or of an index for `table/index/name`; `name` lacks the prefix of the stage."""
    return arn("dynamodb", f"table/strandline-{STAGE.stage}-{name}")


def queue_arn(name: str) -> str:
    """The ARN of a queue; `name` lacks the prefix of the stage."""
    return arn("sqs", f"strandline-{STAGE.stage}-{name}")


def stream_arn(name: str) -> str:
    """The ARN of a stream; `name` lacks the prefix of the stage."""
    return arn("kinesis", f"stream/strandline-{STAGE.stage}-{name}")


def secret_arn(name: str) -> str:
    """The ARN of a secret, of which Secrets Manager chooses the last six characters."""
    return arn("secretsmanager", f"secret:strandline/{STAGE.stage}/{name}-??????")


def bucket_arn() -> str:
    """The ARN of the stage's bucket."""
    return f"arn:${{AWS::Partition}}:s3:::{STAGE.bucket}"


def objects_arn(prefix: str) -> str:
    """The ARN of the objects below a prefix of the bucket, which ends with a slash."""
    return f"{bucket_arn()}/{prefix}*"


def sender_arn(identity: str) -> str:
    """The ARN of an address or a domain that mail comes from."""
    return arn("ses", f"identity/{identity}")
