"""Writing down a route of the API: with and without a trailing slash, never a redirect."""

from django.urls import URLPattern, re_path

from portal.api.views import ApiView


def route(pattern: str, view: type[ApiView], name: str) -> URLPattern:
    """A route below /api/v1/. `pattern` is a regular expression without anchors: `sms_gateway/(?P<name>[^/]+)`.

    A group that may hold slashes must not be greedy: `user/(?P<pid>.+?)`. `name` is also the audited action.
    """
    return re_path(rf"^{pattern}/?\Z", view.as_view(), name=name)
