"""Launches the local cloud: the packaged application, deployed to ministack and served at an address without a path."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.local_cloud import data_folder, ports
from tools.local_cloud.engine_process import Engine, running_engine
from tools.packaging.application import LOCAL_STAGE, Package, make_package
from tools.stages.deployment import DeployedStage, deploy

if TYPE_CHECKING:
    from boto3.session import Session

REGION = "us-east-1"
NO_PARAMETERS: Mapping[str, str] = {}
MAIL_FROM = "strandline@localhost"
ROOT_KEY = "test"  # ministack's own root credentials


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """A running local cloud."""

    base_url: str
    gateway_url: str
    server_secret: str
    data_dir: Path
    engine: Engine


@contextmanager
def local_cloud(
    data_dir: Path, port: int, cors_origins: str = "", base_url: str = "", parameters: Mapping[str, str] = NO_PARAMETERS
) -> Iterator[LocalCloud]:
    """Run the application at 127.0.0.1:`port` (0: any free port), with its data in `data_dir`.

    `cors_origins` are the origins, separated by commas, whose pages may call it. `base_url` is the address that clients
    use, if that is another one, such as that of a tunnel or of a proxy. `parameters` are further ones of the
    application.

    Raises:
        ToolError: a port or the folder is in use, the folder is damaged, or packaging or deploying failed.
    """
    with data_folder.opened(data_dir) as folder, ports.bind_public(port) as public:
        base_url = base_url.rstrip("/") or f"http://{ports.LOOPBACK}:{ports.port_of(public)}"
        package = make_package(LOCAL_STAGE)
        with ports.bind_kept(folder.read_gateway_port()) as gateway:
            folder.write_gateway_port(ports.port_of(gateway))
            gateway_url = f"http://localhost:{ports.port_of(gateway)}"
            with running_engine(folder, gateway, public) as engine:
                session = _session(gateway_url)
                deployed = deploy_locally(session, package, base_url, cors_origins, parameters)
                secret = _server_secret(session, deployed)
                folder.write_server_secret(secret)
                engine.open_front(f"/restapis/{deployed.api_id}/{deployed.api_stage}/_user_request_")
                yield LocalCloud(base_url, gateway_url, secret, folder.path, engine)


def mail_parameters(data_dir: Path) -> dict[str, str]:
    """The parameters with which the application writes mail into the folder `mail` of the data folder."""
    return {"MailFrom": MAIL_FROM, "MailFolder": str(mail_folder(data_dir))}


def mail_folder(data_dir: Path) -> Path:
    """The folder that takes the mail of a local cloud."""
    return data_dir.absolute() / "mail"


def deploy_locally(
    session: "Session",
    package: Package,
    base_url: str,
    cors_origins: str = "",
    parameters: Mapping[str, str] = NO_PARAMETERS,
) -> DeployedStage:
    """Deploy both stacks of the local stage, without the settings that need AWS. Its own page may upload."""
    return deploy(
        session,
        package,
        {"DeletionProtection": "false", "RequireTls": "false", "Versioning": "Suspended"},
        {"BaseUrl": base_url, "CorsOrigins": ",".join(filter(None, (base_url, cors_origins))), **parameters},
        poll_s=0.1,
    )


def _session(gateway_url: str) -> "Session":
    """A session as the root user of the local cloud, independent of the AWS settings of the user."""
    import boto3
    import botocore.session

    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    os.environ["AWS_ENDPOINT_URL"] = gateway_url
    return boto3.Session(
        aws_access_key_id=ROOT_KEY,
        aws_secret_access_key=ROOT_KEY,
        region_name=REGION,
        botocore_session=botocore.session.Session(),
    )


def _server_secret(session: "Session", deployed: DeployedStage) -> str:
    return session.client("secretsmanager").get_secret_value(SecretId=deployed.server_secret_arn)["SecretString"]


def wait_for_end(cloud: LocalCloud, parent: int) -> bool:
    """Return when the engine has ended (True) or the parent of this process has (False). Print each mail that comes."""
    seen = set(mail_folder(cloud.data_dir).glob("*.eml"))
    while not cloud.engine.has_ended():
        if os.getppid() != parent:
            return False
        for file in sorted(set(mail_folder(cloud.data_dir).glob("*.eml")) - seen):
            print(f"mail: {file}", flush=True)
            seen.add(file)
        time.sleep(0.3)
    return True
