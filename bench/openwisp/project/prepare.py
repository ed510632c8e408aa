"""`python prepare.py ORGANISATION GUESTS PASSWORD`: makes the tables, the organisation, and its guests.

So many can sign in, and as many others have a token and a phone that is yet to be verified.
"""

import sys
from typing import Any

import django
from django.core.management import call_command

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 — models load after the set-up
from django.contrib.auth.hashers import make_password  # noqa: E402
from openwisp_radius.utils import load_model  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402
from swapper import load_model as load_swapped  # noqa: E402

User: Any = get_user_model()


def main(slug: str, count: int, password: str) -> None:
    """One hash for all guests: making one takes as long as a sign-in."""
    call_command("migrate", verbosity=0)
    organization = load_swapped("openwisp_users", "Organization").objects.create(name=slug, slug=slug)
    load_model("OrganizationRadiusSettings").objects.get_or_create(organization=organization)
    hashed, numbers = make_password(password), range(count)
    _guests(organization, [User(username=f"guest{number}", password=hashed) for number in numbers], is_verified=True)
    unverified = [User(username=f"phone{number}", phone_number=f"+7915{number:07}") for number in numbers]
    _guests(organization, unverified, is_verified=False)
    Token.objects.bulk_create([Token(user=unverified[number], key=f"{number:040x}") for number in numbers])


def _guests(organization: Any, users: list[Any], is_verified: bool) -> None:
    User.objects.bulk_create(users)
    belongs = load_swapped("openwisp_users", "OrganizationUser").objects
    registered = load_model("RegisteredUser").objects
    theirs = [{"user": user, "organization": organization} for user in users]
    belongs.bulk_create([belongs.model(**row) for row in theirs])
    registered.bulk_create([registered.model(**row, method="mobile_phone", is_verified=is_verified) for row in theirs])


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
