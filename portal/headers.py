"""What a browser is told to refuse, by kind of page: the one owner of the policy, and the middleware that says it.

Everything is served by the portal itself. A page that no line below knows gets the strictest policy that shows pages.
"""

import re
from dataclasses import asdict
from functools import cache
from typing import Any

from csp.constants import HEADER, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from csp.utils import build_policy
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from portal.ways import is_drop_in

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
    "oauth": NO_PAGE,
    "oauth2": NO_PAGE,
    "callbacks": NO_PAGE,
    "healthz": NO_PAGE,
    "readyz": NO_PAGE,
    "metrics": NO_PAGE,
}
DOCUMENTATION = "/api/docs"

#: What sits on these pages is for the eyes of who asked, and kept by no cache unless the view says otherwise.
UNSTORED = frozenset({"admin", "api", "metrics", "oauth", "oauth2"})

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


#: A host as policies name it: http or https, perhaps with a star for what stands before it, perhaps with a port.
TARGET = re.compile(r"https?://(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[0-9]{1,5})?")
_TARGETS = "_form_targets"


def may_post_to(response: HttpResponseBase, *targets: str) -> None:
    """Lets forms of this one page go to these hosts too, and be redirected there. Raises ValueError for what is none.

    Chromium asks the page's policy again at every redirect that follows a form, also after one that went to ourselves:
    a page whose form ends elsewhere names every host on the way.
    """
    if wrong := [target for target in targets if not TARGET.fullmatch(target)]:
        raise ValueError(wrong)
    setattr(response, _TARGETS, [*getattr(response, _TARGETS, ()), *targets])


def policy_of(path: str) -> Policy:
    """What holds at this path."""
    if path.rstrip("/") == DOCUMENTATION:
        return PAGE
    first = _first_part(path)
    return POLICIES.get(first) or (NO_PAGE if is_drop_in(first) else PAGE)


class SecurityHeaders(CSPMiddleware):
    """Stands before all other middleware, so that their refusals and redirects have the headers too."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if policy_of(request.path_info) is NO_PAGE:
            # Answers for programs are many, and all have the same.
            response.headers[HEADER] = _no_page()
            answer = response
        else:
            answer = super().process_response(request, response)
        for name, value in ALWAYS.items():
            answer.headers[name] = value
        first = _first_part(request.path_info)
        if (first in UNSTORED or is_drop_in(first)) and request.path_info.rstrip("/") != DOCUMENTATION:
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    def get_policy_parts(self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False) -> Any:
        if report_only:
            return PolicyParts()
        targets: list[str] = getattr(response, _TARGETS, [])
        return PolicyParts(config=_widened(policy_of(request.path_info), targets))


@cache
def _no_page() -> str:
    return str(build_policy(**asdict(PolicyParts(config=dict(NO_PAGE)))))


def _widened(policy: Policy, targets: list[str]) -> Policy:
    """The policy with more targets for forms; where none may be sent at all, it stays so."""
    forms = policy["form-action"]
    return dict(policy) if NONE in forms else policy | {"form-action": [*forms, *dict.fromkeys(targets)]}


def _first_part(path: str) -> str:
    return path.lstrip("/").partition("/")[0]
