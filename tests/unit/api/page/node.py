"""The modules of the page in Node, without a browser."""

import json
import subprocess
from pathlib import Path
from typing import Any

from chalicelib.api.pages.web import assets
from tests.e2e.npm import require_programs

STATIC = Path(assets.__file__).parent / "static"
MODULES = sorted(STATIC.rglob("*.js"))


def evaluate(imports: str, expression: str) -> Any:
    """The JSON value of an expression, after imports such as `{ sha256 } from "./sha256.js"`."""
    require_programs("node")
    names, _, module = imports.partition(" from ")
    code = f"""
        globalThis.location = {{ origin: "http://127.0.0.1:8000", hash: "" }};
        globalThis.document = {{ documentElement: {{ dataset: {{ realm: "tidepool" }} }} }};
        const {names} = await import({module.replace('"./', f'"{STATIC.as_uri()}/')});
        console.log(JSON.stringify(await ({expression})));"""
    command = ["node", "--input-type=module", "-e", code]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout)
