"""The engine on AWS. Clients are made when they are first used."""

from chalicelib.config import Settings
from chalicelib.engine.dynamodb import DynamoTables
from chalicelib.engine.engine import Engine
from chalicelib.engine.kinesis import KinesisStream
from chalicelib.engine.s3 import S3Objects
from chalicelib.engine.secrets_manager import SecretsManager
from chalicelib.engine.sqs import SqsQueue


def aws_engine(settings: Settings) -> Engine:
    """The engine of a stage; makes no call."""
    return Engine(
        tables=DynamoTables(settings),
        objects=S3Objects(settings),
        secrets=SecretsManager(settings.region),
        task_queue=SqsQueue(settings.region, settings.tasks_queue),
        metrics_failures=SqsQueue(settings.region, settings.metrics_failure_queue),
        metrics_stream=KinesisStream(settings.region, settings.metrics_stream),
    )
