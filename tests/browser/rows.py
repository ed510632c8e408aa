"""What there is to see in the portal that the crawl visits: rows of every model. Runs in that portal's environment."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import Field, Model

from gateways.models import Gateway
from portal.models import User
from portal.sign_in import sessions
from tests.browser import lobby
from tests.portal.admin_pages import MADE


def make() -> dict[str, Any]:
    """One row of every model at least; their keys by model, and the texts in them, which are in no language."""
    gateway = Gateway.objects.create(name="reserve", provider="sandbox", enabled=False)
    keys = {model._meta.label_lower: str(_made(model, make_one, gateway).pk) for model, make_one in MADE.items()}
    lobby.make()
    User.objects.create_user(
        "long", first_name="Wolfeschlegelsteinhausenbergerdorff", email=f"{'long' * 12}@example.org"
    )
    return {"keys": keys, "texts": sorted({text for model in _ours() for text in _texts(model)})}


def _made(model: type[Model], make_one: Callable[[Gateway], Model], gateway: Gateway) -> Model:
    """A new row, or one that the portal has made while it ran: of some there can be one only."""
    try:
        with transaction.atomic():
            return make_one(gateway)
    except IntegrityError:
        return model._default_manager.all()[0]


def age_confirmations() -> int:
    """Forgets in every session that its owner has just said who it is."""
    found = list(Session.objects.all())
    for session in found:
        store = SessionStore(session.session_key)
        store[sessions.CONFIRMED] = 0
        store.save()
    return len(found)


def _ours() -> list[type[Model]]:
    return [
        model
        for app in ("portal", "gateways", "messaging", "guests")
        for model in apps.get_app_config(app).get_models()
    ]


def _texts(model: type[Model]) -> set[str]:
    names = [field.attname for field in model._meta.concrete_fields if _is_free(field)]
    return {str(value) for row in model._default_manager.values_list(*names) for value in row if value}


def _is_free(field: "Field[Any, Any]") -> bool:
    """Whether people or programs write what they like into it; a choice is shown under its label."""
    return not field.choices and field.get_internal_type() in {"CharField", "TextField", "JSONField", "EmailField"}
