"""Unpacks the locked requirements for a package, without the parts that no function needs.

Lambda has an SDK of its own, whose version changes without notice and differs by runtime. So botocore is packaged: it
comes first on the path of a function. Of its data only the services in use are kept, without the documentation in
their models. Reading the rest would be most of the time of making a client.
"""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.environments import reason_of_failure
from tools.project import BUILD, ROOT, ToolError

LAMBDA_PLATFORMS = {
    "x86_64": ("manylinux2014_x86_64", "manylinux_2_28_x86_64"),
    "arm64": ("manylinux2014_aarch64", "manylinux_2_28_aarch64"),
}
"""The platforms of wheels that run on Lambda, by the name that Lambda gives to the architecture."""

POWERTOOLS = "aws_lambda_powertools"
UNUSED_REQUIREMENTS = (
    "argon2/__main__.py",  # a command line
    "botocore/crt/auth.py",  # signatures by a library that is not installed
    "cryptography/fernet.py",
    "cryptography/hazmat/primitives/serialization/pkcs7.py",
    "cryptography/hazmat/primitives/serialization/pkcs12.py",
    "cryptography/hazmat/primitives/twofactor",
    "cffi",  # builds modules; to run them takes _cffi_backend alone
    "pycparser",  # the same
    "botocore/stub.py",
    "joserfc/drafts",
    *(f"tzdata/zoneinfo/{name}" for name in ("tzdata.zi", "zone.tab", "zone1970.tab", "zonenow.tab", "iso3166.tab")),
    "dateutil/easter.py",  # dates that repeat, of which botocore has none
    "dateutil/rrule.py",
    "dateutil/tz/win.py",  # Windows
    "dateutil/zoneinfo",  # time zones of its own; botocore needs UTC only
    "urllib3/contrib/emscripten",  # browsers
    "urllib3/contrib/pyopenssl.py",  # another library for TLS, which is not installed
    "urllib3/contrib/socks.py",  # proxies
    "urllib3/http2/connection.py",  # HTTP/2, by a library that is not installed
    f"{POWERTOOLS}/event_handler",
    f"{POWERTOOLS}/metrics/provider/datadog",
    *(
        f"{POWERTOOLS}/utilities/data_classes/{name}_event.py"
        for name in (
            "active_mq",
            "api_gateway_authorizer",
            "appsync_authorizer",
            "cognito_user_pool",
            "iot_registry",
            "rabbit_mq",
            "s3_object",
        )
    ),
    *(
        f"{POWERTOOLS}/utilities/{name}"
        for name in (
            "auth_alpha",
            "circuit_breaker",
            "data_masking",
            "feature_flags",
            "idempotency",
            "kafka",
            "parameters",
            "parser",
            "streaming",
            "validation",
        )
    ),
)
"""Parts of the requirements that no function imports: 2 MB of the zip."""
CLIENTS = frozenset({"kinesis", "s3", "secretsmanager", "sesv2", "sqs"})
"""The services that `chalicelib/engine/aws` makes clients of, by their names in botocore."""
SERVICES = CLIENTS | {"dynamodb"}
"""The services in use; DynamoDB has a transport without a model, which needs the rules for its endpoints alone."""
UNUSED_MODELS = ("examples-1.json", "waiters-2.json")
MODEL = "service-2.json"
RULES = "endpoint-rule-set-1.json"


def vendored(architecture: str | None) -> Path:
    """The folder of the unpacked requirements; it is kept, because they rarely change.

    Args:
        architecture: one of Lambda; None stands for this machine.

    Raises:
        ToolError: pip fails, or something that is left out is not there.
    """
    lock = ROOT / "requirements.txt"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    target = f"lambda-{architecture}" if architecture else "this-machine"
    digest = hashlib.sha256(lock.read_bytes() + Path(__file__).read_bytes()).hexdigest()[:16]
    folder = BUILD / "vendor" / f"{target}-{version}-{digest}"
    if folder.is_dir():
        return folder
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    options = _platform_options(architecture, version) if architecture else []
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    _install([*pip, "--no-compile", "--require-hashes", *options, "--target", str(draft), "-r", str(lock)])
    _remove_unused(draft)
    try:
        draft.rename(folder)
    except OSError:  # another process made it meanwhile
        shutil.rmtree(draft)
    return folder


def _platform_options(architecture: str, python: str) -> list[str]:
    """The options with which pip takes wheels for a version of Python on Lambda."""
    platforms = [option for name in LAMBDA_PLATFORMS[architecture] for option in ("--platform", name)]
    return ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python, *platforms]


def _remove_unused(folder: Path) -> None:
    """Remove what no function uses from installed requirements.

    Raises:
        ToolError: something that is left out is not there.
    """
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for name in UNUSED_REQUIREMENTS:
        path = folder / name
        if not path.exists():
            raise ToolError(f"{name} is not among what pip installs any more: take it out of what is left out.")
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for record in folder.glob("*.dist-info/RECORD"):  # lists what was just removed
        record.unlink()
    for parts in folder.glob("*.dist-info/sboms"):
        shutil.rmtree(parts)
    for metadata in folder.glob("*.dist-info/METADATA"):  # without the description, which is a whole README
        head, _, _ = metadata.read_text(encoding="utf-8").partition("\n\n")
        metadata.write_text(f"{head}\n", encoding="utf-8")
    trim_sdk(folder / "botocore" / "data")


def trim_sdk(data: Path) -> None:
    """Remove from the data of botocore the other services, examples, waiters, and the documentation of models.

    Raises:
        ToolError: a service in use is not there.
    """
    if missing := SERVICES - {path.name for path in data.iterdir()}:
        raise ToolError(f"botocore has no data of {', '.join(sorted(missing))} any more.")
    for path in data.iterdir():
        if path.is_dir() and path.name not in SERVICES:
            shutil.rmtree(path)
    for version in (path for service in SERVICES for path in (data / service).iterdir()):
        if not (version / f"{MODEL}.gz").is_file():  # an endpoint of an API version without clients
            shutil.rmtree(version)
            continue
        if version.parent.name not in CLIENTS:
            for path in version.iterdir():
                if not path.name.startswith(RULES):
                    path.unlink()
            continue
        for name in UNUSED_MODELS:
            (version / name).unlink(missing_ok=True)
        model = json.loads(gzip.decompress((version / f"{MODEL}.gz").read_bytes()))
        (version / f"{MODEL}.gz").unlink()
        (version / MODEL).write_text(_compact(undocumented(model)))
    endpoints = data / "endpoints.json"
    known = json.loads(endpoints.read_text())
    for partition in known["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in SERVICES}
    endpoints.write_text(_compact(known))


def undocumented(model: Any) -> Any:
    """A model with empty texts. A member or a shape that is itself named `documentation` is not a text, and stays."""
    if isinstance(model, dict):
        return {
            name: "" if name == "documentation" and isinstance(value, str) else undocumented(value)
            for name, value in model.items()
        }
    if isinstance(model, list):
        return [undocumented(value) for value in model]
    return model


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _install(command: list[str]) -> None:
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if answer.returncode:
        raise ToolError(f"pip install failed: {reason_of_failure(answer.stdout + answer.stderr)}")
