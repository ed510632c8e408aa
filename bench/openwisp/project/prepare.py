"""Makes the tables, the organisation, and the guests who sign in: `python prepare.py ORGANISATION GUESTS PASSWORD`."""

import sys

import django
from django.core.management import call_command

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 — models load after the set-up
from django.contrib.auth.hashers import make_password  # noqa: E402
from openwisp_radius.utils import load_model  # noqa: E402
from swapper import load_model as load_swapped  # noqa: E402


def main(slug: str, count: int, password: str) -> None:
    """One hash for all guests: making one takes as long as a sign-in."""
    call_command("migrate", verbosity=0)
    organization = load_swapped("openwisp_users", "Organization").objects.create(name=slug, slug=slug)
    load_model("OrganizationRadiusSettings").objects.get_or_create(organization=organization)
    hashed, users = make_password(password), get_user_model().objects
    names = [f"guest{number}" for number in range(count)]
    guests = users.bulk_create(
        [users.model(username=name, email=f"{name}@example.org", password=hashed) for name in names]
    )
    belongs, verified = load_swapped("openwisp_users", "OrganizationUser").objects, load_model("RegisteredUser").objects
    theirs = [{"user": guest, "organization": organization} for guest in guests]
    belongs.bulk_create([belongs.model(**row) for row in theirs])
    verified.bulk_create([verified.model(**row, method="mobile_phone", is_verified=True) for row in theirs])


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
