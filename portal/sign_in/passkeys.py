"""How the portal looks to a browser that keeps its passkeys."""

from typing import Any

from django.utils.translation import gettext as _
from django_otp_webauthn.helpers import WebAuthnHelper

from portal.models import User
from portal.sign_in.origins import origins, relying_party


class Helper(WebAuthnHelper):  # type: ignore[misc]
    """The ceremonies under our names and origins."""

    def get_allowed_origins(self) -> list[str]:
        origin = origins().get(relying_party(self.request))
        return [origin] if origin else []

    def get_credential_display_name(self, user: User) -> str:
        return user.get_full_name() or user.get_username()

    def create_credential(self, user: User, response: Any, parsed_credential: Any, original_data: Any) -> Any:
        """With the name that its owner gave."""
        credential = super().create_credential(user, response, parsed_credential, original_data)
        credential.name = str(original_data.get("name") or _("Passkey")).strip()[:64]
        return credential
