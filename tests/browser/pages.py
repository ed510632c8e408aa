"""Every page there is, found in the routes: one that is added tomorrow is visited without a word here."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib import admin
from django.urls import NoReverseMatch, URLPattern, URLResolver, reverse

from guests.admin.deeds import DEEDS

#: Beside the admin's own routes.
OTHERS = ("sandbox", "api-docs", "preferences", "messages.write")
#: Routes of the admin that are no pages: programs ask them, or they end what a page began.
NO_PAGES = {
    *("logout", "give_up", "jsi18n", "autocomplete", "search", "view_on_site"),
    *("passkey_register_begin", "passkey_register", "passkey_use_begin", "passkey_use"),
    *("portal_auditevent_export", "messaging_batch_progress", "guests_guest_import_sample", "guests_guest_export"),
    *("gateways_gateway_order", "portal_watchedhost_unblock", "guests_guest_export_one", "portal_apikey_revoke"),
    # Steps of an import that somebody began: the story of many credentials takes them.
    *(f"guests_guest_import_{step}" for step in ("columns", "check", "faulty", "report", "drop")),
}
#: What is asked before something is done to a row; a route has more words than its key.
ASKED = {
    "guests.guest": [f"do/{name}" for name in DEEDS],
    "gateways.gateway": ["act/show_request", "act/send_test", "act/renew_callback_key"],
}
#: What the form of a gateway asks for, by its provider.
PROVIDERS = ("smsgate", "http", "kannel")
#: Drawn alike for every model: one of them stands for all.
ALIKE = ("_history", "_delete")
#: The model that stands for all.
STANDS_FOR_ALL = "guests.guest"
#: What an administrator must be able to open; other pages answer 403 or 405 where nobody adds or deletes.
ALWAYS = ("_changelist", "_change")
#: Stands for the key of a row, which is known only when the portal runs.
KEY = "4711000001"


class PageOfPortal(NamedTuple):
    """A page: the name of its route, its address with KEY where a row is meant, and that row's model."""

    name: str
    address: str
    model: str = ""
    always: bool = False

    @property
    def must_open(self) -> bool:
        """Whether a refusal would be a fault."""
        return self.always or not self.model or self.name.endswith(ALWAYS)


def every_page() -> list[PageOfPortal]:
    """All of them, in the order of the routes."""
    found = [PageOfPortal(name, reverse(name)) for name in OTHERS]
    found.append(PageOfPortal("app_list", reverse("admin:app_list", args=("messaging",))))
    for pattern, model in _patterns(admin.site.urls[0]):
        if pattern.name and pattern.name not in NO_PAGES and not _is_like_another(pattern.name, model):
            found += _page(pattern, model)
    return [*found, *_questions(), *_forms_of_providers()]


def _questions() -> Iterator[PageOfPortal]:
    for model, questions in ASKED.items():
        rows = reverse(f"admin:{model.replace('.', '_')}_changelist")
        for question in questions:
            yield PageOfPortal(question.replace("/", "_"), f"{rows}{KEY}/{question}/", model, always=True)


def _forms_of_providers() -> Iterator[PageOfPortal]:
    for name in PROVIDERS:
        yield PageOfPortal(f"add_{name}", f"{reverse('admin:gateways_gateway_add')}?provider={name}")


def _is_like_another(name: str, model: str) -> bool:
    return name.endswith(ALIKE) and model != STANDS_FOR_ALL


def _patterns(routes: list[Any], model: str = "") -> Iterator[tuple[URLPattern, str]]:
    """The routes and the model whose pages they are."""
    known = {f"{model._meta.app_label}/{model._meta.model_name}/": model for model in admin.site._registry}
    for route in routes:
        if isinstance(route, URLResolver):
            found = known.get(str(route.pattern))
            yield from _patterns(route.url_patterns, found._meta.label_lower if found else model)
        else:
            yield route, model


def _page(pattern: URLPattern, model: str) -> list[PageOfPortal]:
    """The page of the route; none where more than the key of a row must be known."""
    for arguments in ([], [KEY] if model else []):
        try:
            return [PageOfPortal(str(pattern.name), reverse(f"admin:{pattern.name}", args=arguments), model)]
        except NoReverseMatch:
            continue
    return []
