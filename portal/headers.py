"""What a browser is told to refuse, by kind of page: the one owner of the policy, and the middleware that says it.

Everything is served by the portal itself. A page that no line below knows gets the strictest policy that shows pages.
"""

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Policy = dict[str, list[str]]

#: Answers for programs: should a browser show one as a page, nothing in it works.
NO_PAGE: Policy = {"default-src": [NONE], "base-uri": [NONE], "form-action": [NONE], "frame-ancestors": [NONE]}

#: Pages for guests, the sandbox phone, the API's documentation, and errors anywhere.
PAGE: Policy = NO_PAGE | {
    "script-src": [SELF],
    "worker-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "manifest-src": [SELF],
    "form-action": [SELF],
    "object-src": [NONE],
}

#: Unfold's Alpine reads expressions out of attributes, and both write styles into the page.
ADMIN: Policy = PAGE | {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}

#: The first part of a path, and what holds below it.
POLICIES: dict[str, Policy] = {
    "admin": ADMIN,
    "api": NO_PAGE,
    "callbacks": NO_PAGE,
    "healthz": NO_PAGE,
    "readyz": NO_PAGE,
    "metrics": NO_PAGE,
}
DOCUMENTATION = "/api/docs"

#: What sits on these pages is for the eyes of who asked, and kept by no cache unless the view says otherwise.
UNSTORED = frozenset({"admin", "api", "metrics"})

#: What a page might ask a browser for and ours never do.
UNUSED = (
    *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation"),
    *("gyroscope", "hid", "idle-detection", "magnetometer", "microphone", "midi", "payment"),
    *("picture-in-picture", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
#: Passkeys, and buttons that copy.
USED = ("publickey-credentials-create", "publickey-credentials-get", "clipboard-write")
PERMISSIONS = ", ".join([*(f"{name}=()" for name in UNUSED), *(f"{name}=(self)" for name in USED)])

#: Over whatever a view or a library says.
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
}


def policy_of(path: str) -> Policy:
    """What holds at this path."""
    return PAGE if path.rstrip("/") == DOCUMENTATION else POLICIES.get(_first_part(path), PAGE)


class SecurityHeaders(CSPMiddleware):
    """Stands before all other middleware, so that their refusals and redirects have the headers too."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        answer: HttpResponseBase = super().process_response(request, response)
        for name, value in ALWAYS.items():
            answer.headers[name] = value
        if _first_part(request.path_info) in UNSTORED and request.path_info.rstrip("/") != DOCUMENTATION:
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    def get_policy_parts(self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False) -> Any:
        return PolicyParts() if report_only else PolicyParts(config=dict(policy_of(request.path_info)))


def _first_part(path: str) -> str:
    return path.lstrip("/").partition("/")[0]
