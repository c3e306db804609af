"""The AWS account of the user's credentials."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.engine.aws.sdk_errors import may_pass
from tools.packaging.application import LOCAL_STAGE, check_stage_name
from tools.project import ToolError, run_tool

if TYPE_CHECKING:
    from boto3.session import Session


def session_of_caller(stage: str) -> tuple["Session", str]:
    """A session with the caller's own credentials and region, and a line that names the account.

    Raises:
        ToolError: there are none, they are refused, or the stage is the local one or has no valid name.
    """
    check_stage_name(stage)
    if stage == LOCAL_STAGE:
        raise ToolError("the stage `local` is what `make run` makes; choose another name, such as STAGE=prod.")
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

    try:
        session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
    except ProfileNotFound as error:
        raise ToolError(f"AWS_PROFILE names no profile of this machine: {error}") from error
    if session.region_name is None:
        raise ToolError("no AWS region is set: set AWS_REGION, or a profile that has one (AWS_PROFILE).")
    try:
        identity = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise ToolError(in_words(error, "AWS does not take your credentials")) from error
    return session, f"account {identity['Account']}, region {session.region_name}, as {identity['Arn']}"


def run_aws_tool(main: Callable[[], int]) -> None:
    """Like `run_tool`; an error of AWS, mostly a missing permission, is also printed as one line."""

    def with_refusals_in_words() -> int:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return main()
        except (BotoCoreError, ClientError) as error:
            raise ToolError(in_words(error, "AWS refuses")) from error

    run_tool(with_refusals_in_words)


def in_words(error: Exception, refused: str) -> str:
    """An error of botocore in one line, which says so if AWS was not reached at all."""
    if may_pass(error):
        return f"AWS cannot be reached; this machine may be offline, or behind a proxy that does not answer: {error}"
    return f"{refused}: {error}"


def confirmed(question: str, *, yes: bool) -> bool:
    """Whether the user says yes; with `yes`, they are not asked.

    Raises:
        ToolError: there is no terminal to ask at.
    """
    if yes:
        return True
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        raise ToolError("cannot ask without a terminal: add YES=1 to go on without a question.") from None


def typed(warning: str, word: str) -> bool:
    """Whether the user types a word, after a warning.

    Raises:
        ToolError: there is no terminal to ask at.
    """
    try:
        return input(f"{warning} To go on, type {word}: ").strip() == word
    except EOFError:
        raise ToolError(f"cannot ask without a terminal, and {word} has to be typed for this.") from None
