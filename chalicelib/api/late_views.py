"""Views of a module that the first request to one of them imports, so that starts which never need it stay short."""

from collections.abc import Callable
from importlib import import_module

from chalicelib.api.messages import Reply, Request
from chalicelib.api.operations.operation import Operation
from chalicelib.api.routing import View


class LateViews:
    """The views of one module by their operations; the module keeps them under the name `views`."""

    def __init__(self) -> None:
        self.by_operation: dict[Operation, View] = {}

    def operation(self, operation: Operation) -> Callable[[View], View]:
        """Keep a view for an operation."""

        def keep(view: View) -> View:
            self.by_operation[operation] = view
            return view

        return keep


def late_view(module: str, operation: Operation) -> View:
    """A view that imports a module and replies what the view of an operation replies there."""

    def view(request: Request) -> Reply:
        views: LateViews = import_module(module).views
        return views.by_operation[operation](request)

    return view
