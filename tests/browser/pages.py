"""Every page there is, found in the routes: one that is added tomorrow is visited without a word here."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib import admin
from django.urls import NoReverseMatch, URLPattern, URLResolver, reverse

#: Outside the admin.
OTHERS = ("sandbox", "api-docs")
#: Routes of the admin that are no pages: programs ask them, or they end what a page began.
NO_PAGES = {"logout", "jsi18n", "autocomplete", "search", "view_on_site"}
#: What an administrator must be able to open; other pages answer 403 or 405 where nobody adds or deletes.
ALWAYS = ("_changelist", "_change")
#: Stands for the key of a row, which is known only when the portal runs.
KEY = "4711000001"


class PageOfPortal(NamedTuple):
    """A page: the name of its route, its address with KEY where a row is meant, and that row's model."""

    name: str
    address: str
    model: str = ""

    @property
    def must_open(self) -> bool:
        """Whether a refusal would be a fault."""
        return not self.model or self.name.endswith(ALWAYS)


def every_page() -> list[PageOfPortal]:
    """All of them, in the order of the routes."""
    found = [PageOfPortal(name, reverse(name)) for name in OTHERS]
    found.append(PageOfPortal("app_list", reverse("admin:app_list", args=("messaging",))))
    for pattern, model in _patterns(admin.site.urls[0]):
        if pattern.name and pattern.name not in NO_PAGES:
            found += _page(pattern, model)
    return found


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
