"""Operations of Tidepool services that Strandline does not have: clinics, consents, connections to vendors' accounts.

They answer as those services do when there is nothing, so that clients go on. Source: other-services 1.
"""

from chalicelib.access.policy import ANYONE, CUSTODIANS, OWNER_AND_SERVERS
from chalicelib.api.operations.operation import Operation

LIST_CONSENTS = Operation(
    "consents.list",
    "GET",
    ("/v1/consents", "/v1/consents/{consentType}"),
    ANYONE,
    summary="The consents that a person can be asked for: none",
)
LIST_CONSENTS_OF_USER = Operation(
    "consents.list_of_user",
    "GET",
    ("/v1/users/{userId}/consents",),
    OWNER_AND_SERVERS,
    summary="The consents of a user: none",
)
LIST_CLINICS_OF_CLINICIAN = Operation(
    "clinics.list_of_clinician",
    "GET",
    ("/v1/clinicians/{userId}/clinics",),
    OWNER_AND_SERVERS,
    summary="The clinics in which a user works: none",
)
LIST_INVITES_OF_CLINICIAN = Operation(
    "clinics.list_invites",
    "GET",
    ("/v1/clinicians/{userId}/invites",),
    OWNER_AND_SERVERS,
    success_status=404,
    summary="The invitations of clinics to a user: not found, since there are none",
)
LIST_CLINICS_OF_PATIENT = Operation(
    "clinics.list_of_patient",
    "GET",
    ("/v1/patients/{userId}/clinics",),
    CUSTODIANS,
    summary="The clinics that care for a user: none",
)
AUTHORIZE_PROVIDER = Operation(
    "providers.authorize",
    "GET",
    ("/v1/oauth/{provider}/authorize",),
    ANYONE,
    success_status=404,
    summary="A page that says that accounts of vendors cannot be connected here",
)

OTHER_SERVICE_OPERATIONS = (
    LIST_CONSENTS,
    LIST_CONSENTS_OF_USER,
    LIST_CLINICS_OF_CLINICIAN,
    LIST_INVITES_OF_CLINICIAN,
    LIST_CLINICS_OF_PATIENT,
    AUTHORIZE_PROVIDER,
)
