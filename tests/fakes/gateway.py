"""Chalice's local gateway, with what makes its test client slow left out: it splits all routes for each request, and
copies the environment."""

from urllib.parse import urlparse

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LambdaEventConverter, LocalGateway, LocalGatewayException, MatchResult, RouteMatcher
from chalice.test import HTTPResponse

Place = tuple[int, str]
"""The number of slashes of a path, and its first segment."""


class GroupedRoutes(RouteMatcher):
    """Matches a path as Chalice does, and tries only routes of its length that begin with the same segment."""

    def __init__(self, route_urls: list[str]) -> None:
        super().__init__(route_urls)
        grouped: dict[Place, list[str]] = {}
        for url in route_urls:
            place = _place(url)
            assert not place[1].startswith("{"), f"{url} matches any first segment"
            grouped.setdefault(place, []).append(url)
        self._grouped = {place: RouteMatcher(urls) for place, urls in grouped.items()}
        self._none = RouteMatcher([])

    def match_route(self, url: str) -> MatchResult:
        """See `RouteMatcher.match_route`.

        Raises:
            ValueError: no route matches.
        """
        path = urlparse(url).path
        return self._grouped.get(_place(path if path == "/" else path.removesuffix("/")), self._none).match_route(url)


class Gateway:
    """Sends requests to an application, as `chalice.test.Client.http` does without variables of the environment."""

    def __init__(self, application: Chalice) -> None:
        self._gateway = LocalGateway(
            application, Config.create(lambda_timeout=29, lambda_memory_size=1024)
        )  # .chalice/config.json
        self._gateway.event_converter = LambdaEventConverter(
            GroupedRoutes(list(application.routes)), application.api.binary_types
        )

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes) -> HTTPResponse:
        """The response to a request."""
        try:
            response = self._gateway.handle_request(method, path, headers, body)
        except LocalGatewayException as error:
            return HTTPResponse(error.body or b"", error.headers, error.CODE)
        return HTTPResponse.create_from_dict(response)


def _place(path: str) -> Place:
    return path.count("/"), path.split("/")[1] if "/" in path else path
