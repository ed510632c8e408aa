"""`manage.py first_run`: prepares the portal for its start; safe to run at every start."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import first_run
from portal.checks import refuse_wrong_settings


class Command(BaseCommand):
    help = "Makes tables, the administrator and the first gateway where they are missing, and prints the addresses."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_wrong_settings()
        try:
            for line in first_run.run():
                self.stdout.write(line)
        except first_run.CannotStart as reason:
            raise CommandError(str(reason)) from None
