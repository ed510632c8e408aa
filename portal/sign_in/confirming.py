"""Being asked again who you are, before secrets, roles and what reaches many: password, code or passkey.

    class RoleAdmin(RightsAdmin):
        confirmed_first = frozenset({"add", "change", "delete", "the_name_of_an_action"})   # portal/admin/rights.py

    @confirmed
    def replace_secret(self, request, object_id): ...      # any other view of the admin, method or function

Nobody is asked twice within ten minutes, signing in counts. A form that was submitted is not lost: the page that asks
carries it on, sealed, and brings it to the view as if nothing had been between.
"""

import base64
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.auth import authenticate
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from portal import admin_trail
from portal.models import User
from portal.sign_in import codes, devices, origins, sealing, sessions
from portal.sign_in.forms import ConfirmForm

#: The field of the page that asks in which the submitted form travels.
SEALED = "_submitted"
PURPOSE = "confirm"
#: Seconds for which a form waits for its confirmation.
PATIENCE = 60 * 60
#: Characters; Django takes no form with fields over 1 MiB.
LONGEST = 900_000
#: Bytes of files; a list of phones is a fifth of its size when it is carried.
LARGEST = 3_000_000
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

View = Callable[..., HttpResponseBase]


def confirmed(view: View) -> View:
    """Unsafe requests to the view are confirmed first."""
    return _guarded(view, lambda request: request.method not in SAFE)


def confirmed_to_read(view: View) -> View:
    """Reading the page is confirmed first as well: it shows a secret, or takes a file too large to be carried on."""
    return _guarded(view, lambda _request: True)


def _guarded(view: View, asks: Callable[[HttpRequest], bool]) -> View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> HttpResponseBase:
        # A method's first argument is its object.
        request = next(argument for argument in args if isinstance(argument, HttpRequest))
        question = ask_first(request) if asks(request) or SEALED in request.POST else None
        return question or view(*args, **kwargs)

    return guarded


def ask_first(request: HttpRequest) -> HttpResponse | None:
    """The page that asks, or None when the view may go on, with the submitted form in its place again."""
    user = request.user
    if not isinstance(user, User):
        return None  # nobody is signed in, and the view says so
    if SEALED not in request.POST:
        return None if sessions.is_confirmed(request) else _question(request, ConfirmForm(user), _seal(request, user))
    form = ConfirmForm(user, request.POST)
    if not sessions.is_confirmed(request) and not _proves(request, user, form):
        return _question(request, form, str(request.POST[SEALED]))
    return _go_on(request, user)


def _proves(request: HttpRequest, user: User, form: ConfirmForm) -> bool:
    """Whether the answer is right; then it counts for ten minutes."""
    proved = form.is_valid() and _is_right(request, user, form)
    if proved:
        sessions.confirm(request)
    admin_trail.note(request, "confirm", 200 if proved else 401, details={})
    return proved


@sensitive_variables("password")
def _is_right(request: HttpRequest, user: User, form: ConfirmForm) -> bool:
    password = form.cleaned_data["password"]
    if password:
        found = authenticate(request, username=user.get_username(), password=password)
        if found is not None and found.pk == user.pk:
            return True
        form.add_error("password", _("The password is wrong."))
        return False
    return codes.checked(request, user, form) is not None


def _question(request: HttpRequest, form: ConfirmForm, sealed: str) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "title": _("Confirm that it is you"),
        "form": form,
        "sealed_name": SEALED,
        "sealed": sealed,
        "carries_form": request.method not in SAFE,
        "address": request.get_full_path(),
        "has_passkey": bool(devices.passkeys_of(form.user)) and bool(origins.relying_party(request)),
    }
    response = render(request, "portal/sign_in/confirm.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _seal(request: HttpRequest, user: User) -> str:
    """The request as it can be repeated. Files too large to be carried are left out and must be chosen again."""
    fields = [(name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"]
    content = {"path": request.get_full_path(), "method": request.method, "fields": fields}
    found = [(name, file) for name, files in request.FILES.lists() for file in files]
    small = sum(file.size or 0 for _name, file in found) <= LARGEST
    files = [
        (name, file.name, file.content_type, base64.b64encode(file.read()).decode()) for name, file in found if small
    ]
    sealed = sealing.seal(PURPOSE, user, {**content, "files": files})
    return sealed if len(sealed) <= LONGEST else sealing.seal(PURPOSE, user, {**content, "files": []})


def _go_on(request: HttpRequest, user: User) -> HttpResponse | None:
    try:
        content = sealing.unseal(PURPOSE, user, str(request.POST[SEALED]), PATIENCE)
    except sealing.Broken:
        content = {}
    if content.get("path") != request.get_full_path() or content["method"] in SAFE:
        # A page that was only to be read, or a form that is too old: its page is shown afresh.
        return HttpResponseRedirect(request.get_full_path())
    _restore(request, content)
    return None


def _restore(request: Any, content: dict[str, Any]) -> None:
    form = QueryDict(mutable=True)
    for name, values in content["fields"]:
        form.setlist(name, values)
    form._mutable = False
    files: MultiValueDict[str, Any] = MultiValueDict()
    for name, file_name, content_type, written in content["files"]:
        files.appendlist(name, SimpleUploadedFile(file_name, base64.b64decode(written), content_type))
    request.POST, request._files = form, files
