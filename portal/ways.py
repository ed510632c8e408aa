"""The documented ways into the API, and the APIs of others that the portal answers in: which of them are open."""

from enum import StrEnum

from django.conf import settings


class WayIn(StrEnum):
    """How a program shows who it is; its value is its name in API_WAYS_IN."""

    LOGIN = "login"  # AxelNAC: a password for a token that slides
    SESSION = "session"  # Mobile SMARTS: a password for a token, and another token for the next one
    BASIC = "basic"  # Mobile SMARTS: name and password with every call
    OAUTH2 = "oauth2"  # SMSmobileAPI: OAuth2 client credentials
    API_KEY = "api_key"  # SMSmobileAPI: a key with every call
    ENVELOPE = "envelope"  # Runtel: actions of objects at one address
    PASSWORD_IN_URL = "password_in_url"  # a user's own password in an address, where proxies may write it down


class DropIn(StrEnum):
    """Whose calls are understood beside our own; its value is its name in API_DROP_INS."""

    SMSMOBILEAPI = "smsmobileapi"
    TARGETSMS = "targetsms"
    KANNEL = "kannel"
    SMSC = "smsc"


#: What is open unless the administrator says otherwise.
USUAL_WAYS = [way.value for way in WayIn if way is not WayIn.PASSWORD_IN_URL]
USUAL_DROP_INS = [system.value for system in DropIn]


#: With what the addresses of each system begin, for whoever judges an answer by its address.
FIRST_PARTS: dict[DropIn, frozenset[str]] = {
    DropIn.SMSMOBILEAPI: frozenset({"sendsms", "resend", "log", "getsms", "deletesms", "gateway"}),
    DropIn.TARGETSMS: frozenset({"password_generation", "xml", "sendsmsjson.php", "sendsms.php"}),
    DropIn.KANNEL: frozenset({"cgi-bin"}),
    DropIn.SMSC: frozenset({"sys", "rest"}),
}


def is_open(way: WayIn | DropIn) -> bool:
    """Whether the administrator lets programs in by this way, or answers them in this API."""
    return way in (settings.API_WAYS_IN if isinstance(way, WayIn) else settings.API_DROP_INS)


def is_drop_in(first_part: str) -> bool:
    """Whether an address that begins so belongs to a system whose calls are understood."""
    return any(first_part in parts and is_open(system) for system, parts in FIRST_PARTS.items())
