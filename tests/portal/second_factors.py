"""How tests come in with a second factor: a phone with an authenticator app, and a browser at the sign-in page."""

import base64
import time
from typing import Any

from django.test import Client
from django.urls import reverse
from django_otp.oath import hotp

from portal.models import TotpDevice, User
from portal.sign_in import enrolment
from tests.conftest import PASSWORD
from tests.portal.admin_pages import ENGLISH

KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN = reverse("admin:login")
SECOND = reverse("admin:second_factor")
ENROL = reverse("admin:enrol")


def shown_code(key: str = KEY, steps: int = 0) -> str:
    """What the phone shows now, or so many codes later."""
    secret = base64.b32decode(key.replace(" ", ""))
    return f"{hotp(secret, int(time.time()) // 30 + steps):06d}"


def with_app(user: User) -> TotpDevice:
    """The user has set up an app, long ago."""
    User.objects.filter(pk=user.pk).update(is_staff=True)
    enrolment.prepare_first(user)
    device = TotpDevice(user=user, name="phone", key=KEY)
    device.save()
    return device


def password_given(user: User, wanted: str = "", host: str = "127.0.0.1") -> Client:
    """A browser at this host in which the user has typed the right password."""
    client = Client(headers=ENGLISH, REMOTE_ADDR=host)
    address = f"{LOGIN}?next={wanted}" if wanted else LOGIN
    assert client.post(address, {"username": user.username, "password": PASSWORD}).status_code == 302
    return client


def give_code(client: Client, code: str) -> Any:
    """The answer to a code in the second step."""
    return client.post(SECOND, {"code": code})


def is_in(client: Client) -> bool:
    """Whether the admin's front page is open."""
    return client.get(reverse("admin:index")).status_code == 200
