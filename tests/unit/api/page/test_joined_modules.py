"""The modules of the page as one script."""

import subprocess

import pytest

from chalicelib.api.pages.web.joined_modules import joined
from tests.e2e.npm import require_programs

MODULES = {
    "main.js": 'import { view } from "./views.js";\nconsole.log((await view.load()).show("1"), await view.later());\n',
    "views.js": 'import { one } from "./one.js";\nexport const view = {\n'
    '  load: () => import("./views/late.js"),\n  later: () => one(),\n};\nconst hidden = 2;\n',
    "views/late.js": 'import { HIDDEN, one } from "../one.js";\n'
    '/**\n * Shows.\n * @type {() => import("./nothing.js").Shown}\n */\nexport function show(text) {\n'
    "  return new one.Kind(text + HIDDEN).text;\n}\n",
    "one.js": "const hidden = 1;\nexport class Kind { constructor(text) { this.text = text; } }\n"
    "export const HIDDEN = hidden;\nexport async function one() { return 5; }\none.Kind = Kind;\n",
}


def test_the_script_does_what_the_modules_do() -> None:
    require_programs("node")
    command = ["node", "--input-type=module", "-e", joined(MODULES, "main.js")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "11 5\n"


def test_a_module_that_two_modules_import_is_there_once() -> None:
    assert joined(MODULES, "main.js").count("class Kind") == 1


@pytest.mark.parametrize(
    "source",
    [
        'import one from "../one.js";\n',
        'import { HIDDEN as H } from "../one.js";\n',
        'export { HIDDEN } from "../one.js";\n',
        'import "../one.js";\n',
    ],
)
def test_another_form_of_import_or_export_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="cannot be joined"):
        joined({**MODULES, "views/late.js": source}, "main.js")


def test_modules_in_a_circle_are_refused() -> None:
    with pytest.raises(ValueError, match="in a circle"):
        joined({**MODULES, "one.js": 'import { view } from "./views.js";\n'}, "main.js")
