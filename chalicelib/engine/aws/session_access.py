"""The access to a service by a session of botocore, without the model of the service.

The session has all settings, credentials of all kinds, the rules for endpoints, and the event `before-send`.
"""

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from botocore.awsrequest import AWSPreparedRequest, HeadersDict
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import NoCredentialsError
from botocore.session import Session

from chalicelib.engine.aws.access import Access, with_path
from chalicelib.engine.aws.signatures import Credentials

RULES = "endpoint-rule-set-1"
"""The name of the rules among the data of a service."""


class Endpoint(NamedTuple):
    """An address, and the region for which requests to it are signed."""

    url: str
    signing_region: str


def access_by_session(session: Session, service: str, region: str) -> Access:
    """The access that a session describes. A handler of `before-send` may reply in place of AWS, as moto does.

    Raises:
        NoCredentialsError, CredentialRetrievalError, EndpointProviderError: those of botocore.
    """
    found = session.get_credentials()
    if found is None:
        raise NoCredentialsError
    endpoint = endpoint_of(session, service, region)
    url, events = with_path(endpoint.url), session.get_component("event_emitter")

    def credentials() -> Credentials:
        frozen = found.get_frozen_credentials()
        return Credentials(str(frozen.access_key), str(frozen.secret_key), frozen.token)

    def reply_instead(operation: str, headers: Mapping[str, str], body: bytes) -> Any:
        sent: Any = HeadersDict(headers)
        request = AWSPreparedRequest("POST", url, sent, body, stream_output=False)
        replies = events.emit(f"before-send.{service}.{operation}", request=request)
        return next((reply for _, reply in replies if reply is not None), None)

    ca_bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    return Access(url, endpoint.signing_region, credentials, reply_instead, ca_bundle)


def endpoint_of(session: Session, service: str, region: str) -> Endpoint:
    """The endpoint of a service: the configured one, such as `AWS_ENDPOINT_URL`, or that of the region.

    Raises:
        EndpointProviderError: that of botocore; the rules have no endpoint for these settings.
    """
    if not session.get_config_variable("ignore_configured_endpoint_urls"):
        configured = ConfiguredEndpointProvider(session.full_config, session.get_scoped_config(), service).provide()
        if configured:
            return Endpoint(configured, region)
    loader = session.get_component("data_loader")
    rules = EndpointProvider(loader.load_service_model(service, RULES), loader.load_data("partitions"))
    found = rules.resolve_endpoint(
        Region=region,
        UseDualStack=bool(session.get_config_variable("use_dualstack_endpoint")),
        UseFIPS=bool(session.get_config_variable("use_fips_endpoint")),
    )
    schemes = found.properties.get("authSchemes") or [{}]
    return Endpoint(found.url, schemes[0].get("signingRegion", region))
