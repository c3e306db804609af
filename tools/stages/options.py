"""The settings of a stage: the variables of `make deploy`, and the parameters they become."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from tools.project import ToolError
from tools.stages.profiles import PROFILES


class Stack(Enum):
    """The stack of a stage that has the parameter."""

    APPLICATION = "application"
    STATEFUL = "stateful"


ON_OFF = {"on": "true", "off": "false"}
SIGN_UP = {"open": "open", "invitation": "invitation", "closed": "closed"}
# The values that CloudWatch Logs accepts.
LOG_RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
HOST = r"(?!-)[a-z0-9-]+(\.[a-z0-9-]+)+"
USER_ID = "[0-9a-f]{10}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
COUNT = "[1-9][0-9]*"
ORIGIN = r"https?://[^/,\s]+"


@dataclass(frozen=True, slots=True)
class Option:
    """One variable: its name, the parameter it becomes, and its values."""

    name: str
    stack: Stack
    parameter: str
    explanation: str
    values: Mapping[str, str] = field(default_factory=dict)
    """The allowed values and their values in the template; empty if `pattern` decides."""
    pattern: str = ".+"
    may_be_empty: bool = False
    """True if `NAME=` removes the value of the stage."""

    def value(self, text: str) -> str:
        """The value of the parameter.

        Raises:
            ToolError: the option does not accept the text.
        """
        if self.values:
            if text not in self.values:
                raise ToolError(f"{self.name}={text}: use one of {', '.join(self.values)}.")
            return self.values[text]
        if not (self.may_be_empty and not text) and not re.fullmatch(self.pattern, text):
            raise ToolError(f"{self.name}={text}: this is not {self.explanation}.")
        return text


OPTIONS = (
    Option("SIGN_UP", Stack.APPLICATION, "SignUp", "who may make an account", SIGN_UP),
    Option(
        "DOMAIN",
        Stack.APPLICATION,
        "DomainName",
        "a domain of your own for the API, such as api.example.org",
        pattern=HOST,
        may_be_empty=True,
    ),
    Option(
        "CERTIFICATE_ARN",
        Stack.STATEFUL,
        "CertificateArn",
        "the ARN of the domain's certificate, in AWS Certificate Manager and in the stage's region",
        pattern=r"arn:[a-z-]+:acm:[a-z0-9-]+:\d{12}:certificate/[A-Za-z0-9-]+",
    ),
    Option(
        "HOSTED_ZONE_ID",
        Stack.STATEFUL,
        "HostedZoneId",
        "the id of the Route 53 zone that gets the domain's record",
        pattern="Z[A-Z0-9]+",
        may_be_empty=True,
    ),
    Option(
        "BASE_URL",
        Stack.APPLICATION,
        "BaseUrl",
        "the address that clients use, without a path; follows from DOMAIN",
        pattern=ORIGIN,
        may_be_empty=True,
    ),
    Option(
        "CORS_ORIGINS",
        Stack.APPLICATION,
        "CorsOrigins",
        "origins of web pages that may call the API, with commas between them",
        pattern=f"{ORIGIN}(,{ORIGIN})*",
        may_be_empty=True,
    ),
    Option(
        "ALARM_EMAIL",
        Stack.APPLICATION,
        "AlarmEmail",
        "the e-mail address that alarms go to",
        pattern=r"\S+@\S+",
        may_be_empty=True,
    ),
    Option(
        "METRICS",
        Stack.APPLICATION,
        "MetricsEnabled",
        "whether events of clients are kept; their stream costs by the hour",
        ON_OFF,
    ),
    Option(
        "METRICS_SHARDS",
        Stack.STATEFUL,
        "MetricsShards",
        "a number of shards for the stream of events",
        pattern=COUNT,
    ),
    Option(
        "METRICS_RETENTION_DAYS",
        Stack.STATEFUL,
        "MetricsRetentionDays",
        "a number of days for which events are kept",
        pattern=COUNT,
    ),
    Option(
        "ARCHITECTURE",
        Stack.APPLICATION,
        "Architecture",
        "the processor of the functions; a fifth cheaper on arm64",
        {"x86_64": "x86_64", "arm64": "arm64"},
    ),
    Option(
        "LOG_RETENTION_DAYS",
        Stack.APPLICATION,
        "LogRetentionDays",
        "a number of days that CloudWatch can keep logs: 1, 3, 5, 7, 14, 30, 60, 90, 365, ...",
        pattern="|".join(map(str, LOG_RETENTION_DAYS)),
    ),
    Option(
        "DELETION_PROTECTION",
        Stack.STATEFUL,
        "DeletionProtection",
        "whether DynamoDB refuses to delete the tables",
        ON_OFF,
    ),
    Option(
        "MAIL_FROM",
        Stack.APPLICATION,
        "MailFrom",
        "the e-mail address that mail comes from, of which SES has verified the address or its domain",
        pattern=r"[A-Za-z0-9._+-]+@" + HOST,
        may_be_empty=True,
    ),
    Option(
        "VERIFY_EMAILS",
        Stack.APPLICATION,
        "VerifiesEmails",
        "whether one can sign in only after the e-mail address was proven by a mailed link; needs MAIL_FROM",
        ON_OFF,
    ),
    Option(
        "WEB_APP_URL",
        Stack.APPLICATION,
        "WebAppUrl",
        "the address of a web app: Tidepool's own may sign in there, and the Uploader comes back to it",
        pattern=r"https?://\S+",
        may_be_empty=True,
    ),
    Option(
        "OIDC_CLIENTS",
        Stack.APPLICATION,
        "OidcClients",
        "further clients of OpenID Connect: client=address,client=address",
        pattern=r"[^=,\s]+=[^,\s]+(,[^=,\s]+=[^,\s]+)*",
        may_be_empty=True,
    ),
    Option(
        "TWIIST_USER_IDS",
        Stack.APPLICATION,
        "TwiistUserIds",
        "ids of the accounts that may add data of twiist pumps, with commas between them",
        pattern=f"({USER_ID})(,({USER_ID}))*",
        may_be_empty=True,
    ),
    Option(
        "PARTNER_SECTORS",
        Stack.APPLICATION,
        "PartnerSectors",
        "redirect addresses of partners: partner=address or partner/environment=address, with commas between them",
        pattern=r"[^=,\s]+=https?://[^,\s]+(,[^=,\s]+=https?://[^,\s]+)*",
        may_be_empty=True,
    ),
    Option(
        "REALM", Stack.APPLICATION, "Realm", "the last part of the issuer of OpenID Connect", pattern="[A-Za-z0-9_-]+"
    ),
    Option("DASHBOARD", Stack.APPLICATION, "Dashboard", "whether there is a dashboard in CloudWatch", ON_OFF),
    Option(
        "THROTTLING_RATE",
        Stack.APPLICATION,
        "ThrottlingRate",
        "a number of requests a second that the API takes of all clients together",
        pattern=COUNT,
    ),
    Option(
        "THROTTLING_BURST",
        Stack.APPLICATION,
        "ThrottlingBurst",
        "a number of requests that may come at once above that rate",
        pattern=COUNT,
    ),
    Option(
        "DATA_QUOTA_MB",
        Stack.APPLICATION,
        "DataQuotaMb",
        "a number of megabytes that the data of one user may take, deflated",
        pattern=COUNT,
    ),
    Option(
        "BLOB_QUOTA_MB",
        Stack.APPLICATION,
        "BlobQuotaMb",
        "a number of megabytes that the blobs and device logs of one user may take",
        pattern=COUNT,
    ),
    Option(
        "DEVICE_STATUS_DAYS",
        Stack.APPLICATION,
        "DeviceStatusDays",
        "a number of days for which device statuses of the Nightscout API are kept",
        pattern=COUNT,
    ),
    Option(
        "REQUESTS_AN_HOUR",
        Stack.APPLICATION,
        "RequestsAnHour",
        "a number of requests of one user within an hour, beyond which an instance of the function answers 429",
        pattern=COUNT,
    ),
    Option(
        "ACCESS_LOGS",
        Stack.APPLICATION,
        "AccessLogs",
        "whether API Gateway writes a line for each request, without path and content",
        ON_OFF,
    ),
    Option("WAF", Stack.APPLICATION, "Waf", "whether AWS WAF stands before the API", ON_OFF),
    Option(
        "WAF_REQUESTS_PER_ADDRESS",
        Stack.APPLICATION,
        "WafRequestsPerAddress",
        "a number of requests in five minutes, 10 or more, beyond which WAF refuses an address",
        pattern="[1-9][0-9]+",
    ),
)
PROFILE = "PROFILE"
"""The variable that stands for the settings of a profile."""
BY_NAME = {option.name: option for option in OPTIONS}


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen parameters of each stack."""

    application: dict[str, str]
    stateful: dict[str, str]


def read_choice(settings: list[str], region: str) -> Choice:
    """The parameters of `NAME=value` settings. The address follows from the domain unless it is given.

    `PROFILE=name` stands for the settings of the profile; a setting that is given as well takes precedence.

    Raises:
        ToolError: a name is unknown, a value is not allowed, or two settings contradict each other.
    """
    choice = Choice({}, {})
    for setting in _with_profile(settings):
        name, is_given, text = setting.partition("=")
        if not is_given or name not in BY_NAME:
            raise ToolError(f"{setting!r} is not a setting: write NAME=value with one of {', '.join(BY_NAME)}.")
        option = BY_NAME[name]
        target = choice.application if option.stack is Stack.APPLICATION else choice.stateful
        target[option.parameter] = option.value(text.strip())
    if (domain := choice.application.get("DomainName")) is not None:
        choice.application.setdefault("BaseUrl", f"https://{domain}" if domain else "")
    if (sender := choice.application.get("MailFrom")) is not None:
        choice.application["MailDomain"] = sender.rpartition("@")[2]
    certificate = choice.stateful.get("CertificateArn", "")
    if certificate and certificate.split(":")[3] != region:
        raise ToolError(f"the certificate is in {certificate.split(':')[3]}; one in {region} is needed.")
    return choice


def _with_profile(settings: list[str]) -> list[str]:
    """The settings, those of a profile first."""
    named = [setting.partition("=")[2].strip() for setting in settings if setting.startswith(f"{PROFILE}=")]
    if unknown := [name for name in named if name not in PROFILES]:
        raise ToolError(f"{PROFILE}={unknown[0]}: use one of {', '.join(PROFILES)}.")
    of_profile = [f"{name}={value}" for profile in named for name, value in PROFILES[profile].settings.items()]
    return of_profile + [setting for setting in settings if not setting.startswith(f"{PROFILE}=")]


def check_mail(chosen: Choice, present: Choice) -> None:
    """Raise unless mail has an address for its links, and the verification of addresses has mail.

    Raises:
        ToolError: one of them is missing.
    """
    settings = {**present.application, **chosen.application}
    if settings.get("MailFrom") and not settings.get("BaseUrl"):
        raise ToolError("MAIL_FROM needs DOMAIN or BASE_URL, the address with which links in mails begin.")
    if settings.get("VerifiesEmails") == "true" and not settings.get("MailFrom"):
        raise ToolError("VERIFY_EMAILS=on needs MAIL_FROM: otherwise nobody who signs up could sign in.")


def check_domain(chosen: Choice, present: Choice) -> None:
    """Raise unless a domain has a certificate, and a DNS record a domain, given now or earlier.

    Raises:
        ToolError: one of them is missing.
    """
    domain = {**present.application, **chosen.application}.get("DomainName")
    if domain and not {**present.stateful, **chosen.stateful}.get("CertificateArn"):
        raise ToolError("DOMAIN needs CERTIFICATE_ARN, a certificate for it in AWS Certificate Manager.")
    if chosen.stateful.get("HostedZoneId") and not domain:
        raise ToolError("HOSTED_ZONE_ID needs DOMAIN.")
