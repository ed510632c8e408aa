"""`manage.py remove_second_factors NAME`: the way back in when the last administrator's phone is lost."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import audit
from portal.models import User
from portal.sign_in import enrolment


class Command(BaseCommand):
    help = "Removes somebody's authenticator apps, passkeys and recovery codes. Others do so on the user's page."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user name")

    def handle(self, *args: Any, name: str, **options: Any) -> None:
        user = User.objects.filter(username=name).first()
        if user is None:
            raise CommandError(f"There is no user {name}.")
        count = enrolment.remove_all(user)
        audit.record(audit.Event("command:second_factors_remove", 200, object_id=name))
        self.stdout.write(f"Removed {count}. {name} signs in with the password, and sets up another.")
