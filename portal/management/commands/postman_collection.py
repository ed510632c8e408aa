"""`manage.py postman_collection`: the API as a collection that Postman imports."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from portal.api.postman import collection
from portal.api.schema import document


class Command(BaseCommand):
    help = "Prints a Postman collection (format 2.1) of the API; docs/examples/portal.postman_collection.json is one."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(json.dumps(collection(document()), ensure_ascii=False, indent=1))
