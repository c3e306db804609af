"""The realm in the path of the sign-in service and its pages. Source: auth-api 6."""

from chalicelib.api.messages import Request
from chalicelib.sign_in.ports import SignInPorts


def realm_ports(request: Request) -> SignInPorts:
    """The ports of the realm in the path.

    Raises:
        NotFoundError: the stage has no such realm.
    """
    ports = request.services.sign_in
    ports.provider.require_realm(request.path["realm"])
    return ports
