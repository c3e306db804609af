"""The description of the empty answers of services that Strandline does not have."""

from chalicelib.api.openapi.terms import ANYTHING, HTML, Api, Details, Reply, all_of, array, integer, text
from chalicelib.api.operations.other_services import (
    AUTHORIZE_PROVIDER,
    LIST_CLINICS_OF_CLINICIAN,
    LIST_CLINICS_OF_PATIENT,
    LIST_CONSENTS,
    LIST_CONSENTS_OF_USER,
    LIST_INVITES_OF_CLINICIAN,
)

_NO_CONSENTS = Reply(
    all_of({"data": array(ANYTHING, maxItems=0), "count": integer(minimum=0, maximum=0)}), "No consents."
)
_NO_CLINICS = Reply(array(ANYTHING, maxItems=0), "No clinics.")

OTHER_SERVICES_API = Api(
    "Other services",
    "Services of Tidepool that Strandline does not have; they answer that there is nothing.",
    {
        LIST_CONSENTS: Details(_NO_CONSENTS, ignores_unknown_query=True),
        LIST_CONSENTS_OF_USER: Details(_NO_CONSENTS, ignores_unknown_query=True),
        LIST_CLINICS_OF_CLINICIAN: Details(_NO_CLINICS, ignores_unknown_query=True),
        LIST_INVITES_OF_CLINICIAN: Details(
            Reply(all_of({"code": text(), "title": text(), "detail": text()}), "There are none."),
            ignores_unknown_query=True,
        ),
        LIST_CLINICS_OF_PATIENT: Details(_NO_CLINICS, ignores_unknown_query=True),
        AUTHORIZE_PROVIDER: Details(Reply(text(), "The page.", HTML), ignores_unknown_query=True),
    },
)
