"""What a call of another system carries to show who calls, wherever that system's programs put it."""

from typing import Any, NamedTuple, Protocol

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.request import Request

from portal.api.authentication import another_site, keys, passwords
from portal.models import ApiKey, User
from portal.strangers import name_to_keep
from portal.ways import WayIn, is_open


class Carried(NamedTuple):
    """What a call carries to show who calls: a key, or a name and a password; `in_url`: the password in its address."""

    key: str = ""
    username: str = ""
    password: str = ""
    in_url: bool = False


class FromAPage(PermissionDenied):
    """403: a page of another site makes a browser call us, where its guesses would block the host of who reads it."""

    default_detail = "Pages of another site cannot call here."


class Carrier(Protocol):
    """A view that knows where its calls have it."""

    audit_name: str

    def carried(self) -> Carried:
        """What shows who calls. Raises BadCall."""


class CarriedAuthentication(BaseAuthentication):
    """What lets a call of another system in: where that system's programs put it."""

    def __init__(self, view: Carrier) -> None:
        self.view = view

    def authenticate(self, request: Request) -> tuple[User, ApiKey | None] | None:
        """The user and the key; None where the call carries neither key nor password.

        Raises what `keys.key_of` and `passwords.each_time` do, and FromAPage.
        """
        carried = self.view.carried()
        if carried.key and is_open(WayIn.API_KEY):
            self._refuse_pages(request)
            key = keys.key_of(request, carried.key)
            return key.user, key
        if not carried.password:
            return None
        self._refuse_pages(request)
        try:
            return passwords.each_time(request, carried.username, carried.password, in_url=carried.in_url)
        except APIException:
            self.view.audit_name = name_to_keep(carried.username)
            raise

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    @staticmethod
    def _refuse_pages(request: Request) -> None:
        if another_site.makes(request):
            raise FromAPage


class CarriedScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """What a call carries is among its fields in the OpenAPI document, and no scheme of its own."""

    target_class = CarriedAuthentication
    name: list[str] = []

    def get_security_requirement(self, auto_schema: Any) -> None:  # type: ignore[override]
        return None

    def get_security_definition(self, auto_schema: Any) -> list[Any]:
        return []
