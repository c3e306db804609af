"""The rules of a stage for new accounts, which the API and the page for people share."""

from chalicelib.accounts.sign_up import SignUpRules
from chalicelib.api.messages import Request


def sign_up_rules(request: Request) -> SignUpRules:
    """The rules of the stage for new accounts."""
    settings = request.services.settings
    return SignUpRules(settings.sign_up, request.services.invitation_code, settings.verifies_emails)
