"""`manage.py unblock`: for the administrator who locked everybody out, himself too."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal import audit, callers, defender
from portal.models import WatchedHost


class Command(BaseCommand):
    help = "Unblocks a host, given by its address, or all of them. Without arguments it lists who is blocked."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("address", nargs="?", default="")
        parser.add_argument("--all", action="store_true", help="every host, and every user at a host")

    def handle(self, *args: Any, address: str, all: bool, **options: Any) -> None:  # noqa: A002 — the option's name
        if address and all:
            raise CommandError("Give an address or --all, not both.")
        if not address and not all:
            for row in WatchedHost.objects.blocked().order_by("host", "username"):
                self.stdout.write(f"{row} until {row.until:%Y-%m-%d %H:%M:%S %Z}")
            return
        rows = WatchedHost.objects.all() if all else WatchedHost.objects.filter(host=_host(address))
        found = list(rows.order_by("host", "username"))
        for row in found:
            defender.unblock(row)
        self._tell([str(row) for row in found])

    def _tell(self, names: list[str]) -> None:
        for name in names:
            audit.record(audit.Event("defender:unblock", 200, user_name="manage.py", object_id=name))
            self.stdout.write(f"{name} is free")
        if not names:
            self.stdout.write("Nothing is blocked or counted there.")


def _host(address: str) -> str:
    host = callers.host_of(address.partition("/")[0])
    if not host:
        raise CommandError("Give an address such as 192.0.2.7 or 2001:db8::1.")
    return host
