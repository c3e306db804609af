"""Builds the services of a stage for a tool, with the permissions of its user."""

import os
import socket
from dataclasses import replace
from pathlib import Path

from chalicelib.config import Settings
from chalicelib.engine.aws.engine import aws_engine
from chalicelib.services import Services, build_services
from tools.local_cloud.data_folder import DataFolder
from tools.local_cloud.launcher import REGION, ROOT_KEY
from tools.local_cloud.ports import LOOPBACK
from tools.packaging.application import LOCAL_STAGE
from tools.project import ToolError
from tools.stages import stacks
from tools.stages.aws_account import session_of_caller
from tools.stages.deployment import application_stack

CONNECT_TIMEOUT_S = 2


def services_of_stage(stage: str, data_dir: Path, *, needs_address: bool = False) -> Services:
    """The services of a stage on AWS, or of the local cloud with this data folder; prints which it is. With
    `needs_address` they know the address of the stage and its realm, as links need them.

    Raises:
        ToolError: no such local cloud runs, or AWS accepts no credentials of the user.
    """
    if stage == LOCAL_STAGE:
        region, where = REGION, f"the local cloud of {data_dir}"
        use_running_cloud(data_dir)
    else:
        session, where = session_of_caller(stage)
        region = session.region_name
    print(f"stage {stage} in {where}", flush=True)
    settings = Settings(stage=stage, region=region, s3_path_style=stage == LOCAL_STAGE)
    if needs_address:
        settings = _with_address(settings)
    return build_services(settings, aws_engine(settings))


def _with_address(settings: Settings) -> Settings:
    """The settings with what the stage was deployed with."""
    import boto3

    cloudformation = boto3.client("cloudformation", region_name=settings.region)
    deployed = stacks.deployed_parameters(cloudformation, application_stack(settings.stage))
    return replace(settings, base_url=deployed.get("BaseUrl", ""), realm=deployed.get("Realm") or settings.realm)


def use_running_cloud(data_dir: Path) -> None:
    """Point all clients of this process to a local cloud, as its root user.

    Raises:
        ToolError: none runs with this data folder.
    """
    port = DataFolder(data_dir).read_gateway_port()
    try:
        socket.create_connection((LOOPBACK, port or 0), timeout=CONNECT_TIMEOUT_S).close()
    except OSError:
        raise ToolError(
            f"no local cloud runs with the data folder {data_dir}: start one with make run. (The accounts of "
            "a home server are added with strandline user add.)"
        ) from None
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://localhost:{port}",
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
    }
