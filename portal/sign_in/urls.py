"""Routes of the sign-in; the admin site takes them in under its own name."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from portal.sign_in import ceremonies, entrance, own_page


def routes(signed_in: Callable[[Callable[..., Any]], Any]) -> list[URLPattern]:
    """`signed_in` is what lets nobody to a page who is not, the admin site's `admin_view`."""
    return [
        path("login/second-factor/", entrance.second_factor, name="second_factor"),
        path("login/enrol/", entrance.enrol, name="enrol"),
        path("login/give-up/", entrance.give_up, name="give_up"),
        path("passkeys/register/begin/", ceremonies.BeginRegistration.as_view(), name="passkey_register_begin"),
        path("passkeys/register/", ceremonies.CompleteRegistration.as_view(), name="passkey_register"),
        path("passkeys/use/begin/", ceremonies.BeginAssertion.as_view(), name="passkey_use_begin"),
        path("passkeys/use/", ceremonies.CompleteAssertion.as_view(), name="passkey_use"),
        path("sign-in/", signed_in(own_page.own_sign_in), name="own_sign_in"),
        path("sign-in/app/", signed_in(own_page.add_app), name="add_app"),
        path("sign-in/passkey/", signed_in(own_page.add_passkey), name="add_passkey"),
        path("sign-in/recovery-codes/", signed_in(own_page.recovery_codes), name="recovery_codes"),
        path("sign-in/<str:kind>/<int:pk>/remove/", signed_in(own_page.remove), name="remove_second_factor"),
    ]
