"""The address of a service, by the data and the settings of botocore, without the model of the service."""

from typing import NamedTuple

from botocore.configprovider import ConfiguredEndpointProvider
from botocore.endpoint_provider import EndpointProvider
from botocore.session import Session

RULES = "endpoint-rule-set-1"
"""The name of the rules among the data of a service."""


class Endpoint(NamedTuple):
    """An address, and the region for which requests to it are signed."""

    url: str
    signing_region: str


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
