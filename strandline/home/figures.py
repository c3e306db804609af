"""The figures of a stage for its owner, read from its stores."""

from typing import Any

from chalicelib.access.call import platform_call
from chalicelib.errors import UnavailableError
from chalicelib.services import Services
from chalicelib.stage_figures import stage_figures
from strandline.cli.errors import CommandError


def figures_of(services: Services) -> dict[str, Any]:
    """The figures as `GET /v1/stage` has them.

    Raises:
        CommandError: the stores do not answer.
    """
    named = {"stage": services.settings.stage, "version": services.settings.version}
    try:
        return named | stage_figures(platform_call(services.now_ms(), services.new_id), services)
    except UnavailableError:
        raise CommandError("the stores do not answer; try again later.") from None
