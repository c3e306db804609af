"""The engine on AWS. Clients are made when they are first used."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from chalicelib.config import Settings
from chalicelib.engine.aws.dynamodb import DynamoTables
from chalicelib.engine.aws.kinesis import KinesisStream
from chalicelib.engine.aws.s3 import S3Objects
from chalicelib.engine.aws.secrets_manager import SecretsManager
from chalicelib.engine.aws.ses import SesMail
from chalicelib.engine.aws.sqs import SqsQueue
from chalicelib.engine.engine import Engine
from chalicelib.engine.mail import FolderMail, Mail, NoMail

if TYPE_CHECKING:
    from chalicelib.engine.at_once import Start


def aws_engine(settings: Settings) -> Engine:
    """The engine of a stage; makes no call."""
    return Engine(
        tables=DynamoTables(settings),
        objects=S3Objects(settings),
        secrets=SecretsManager(settings.region),
        task_queue=SqsQueue(settings.region, settings.tasks_queue),
        metrics_failures=SqsQueue(settings.region, settings.metrics_failure_queue),
        metrics_stream=KinesisStream(settings.region, settings.metrics_stream),
        at_once=_in_threads,
        mail=_mail(settings),
    )


def _in_threads() -> AbstractContextManager["Start"]:
    # Late: only the reads of data need threads.
    from chalicelib.engine.aws.threads import in_threads

    return in_threads()


def _mail(settings: Settings) -> Mail:
    """SES, or the folder of a local cloud; nothing without a sender."""
    if not settings.mail_from:
        return NoMail()
    if settings.mail_folder:
        return FolderMail(Path(settings.mail_folder), settings.mail_from)
    return SesMail(settings.region, settings.mail_from)
