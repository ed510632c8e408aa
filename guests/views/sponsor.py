"""The page behind the link that sponsors are sent. Whatever only looks, mail scanners too, decides nothing."""

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from guests import approvals, durations
from guests import rules as rules_of
from guests.forms.answering import APPROVE, DENY, ReasonForm, StayForm
from guests.models import Approval
from guests.views.page import page
from portal import audit, callers
from portal.admin.rights import demand
from portal.errors import Refusal, Why
from portal.models import User
from portal.permissions import Right


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def approval(request: HttpRequest, token: str) -> HttpResponse:
    """Who asks, and two buttons. A link that is good no more looks like one that never was."""
    # Asked before the link is looked at: whoever is not signed in learns nothing of it.
    needs_account = rules_of.current().sponsors_need_account
    if needs_account and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    found = approvals.of_link(token)
    if found is None:
        return page(request, "approval_over", status=404)
    by = _signed_in(request, found) if needs_account else None
    stay = StayForm(found, request.POST if request.POST.get("decision") == APPROVE else None)
    reason = ReasonForm(request.POST if request.POST.get("decision") == DENY else None)
    if request.method == "POST" and (done := _decided(request, found, by, stay, reason)):
        return done
    return page(request, "approval", approval=found, stay=stay, reason=reason)


def _signed_in(request: HttpRequest, found: Approval) -> User:
    """Who was asked, or somebody who may change guests. Raises PermissionDenied, which names the right."""
    user = request.user
    if not isinstance(user, User) or not approvals.may_decide(user, found):
        demand(request, Right.USERS_UPDATE)
        raise PermissionDenied(_("This guest named somebody else, and you decide on your own guests only."))
    return user


def _decided(
    request: HttpRequest, found: Approval, by: User | None, stay: StayForm, reason: ReasonForm
) -> HttpResponse | None:
    """The page that says what was decided; None where the form is to be shown again."""
    form = stay if stay.is_bound else reason
    if not form.is_valid():
        return None
    try:
        if stay.is_bound:
            approvals.approve(found, stay=durations.read(stay.cleaned_data["duration"]), by=by)
        else:
            approvals.deny(found, why=reason.cleaned_data["reason"], by=by)
    except Refusal as refusal:
        _note(request, found, by, 409 if refusal.why is Why.CONFLICT else 422, form)
        if refusal.field in form.fields:
            form.add_error(refusal.field, refusal.sentence)
            return None
        return page(request, "approval_over", status=409, sentence=refusal.sentence)
    _note(request, found, by, 200, form)
    return page(request, "approval_done", approval=found)


def _note(request: HttpRequest, found: Approval, by: User | None, status: int, form: forms.Form) -> None:
    """For the audit trail; the path would hold the link."""
    verb = APPROVE if isinstance(form, StayForm) else DENY
    event = audit.Event(
        action=f"guests:{verb}",
        status=status,
        user=by,
        user_name="" if by else found.whom,
        address=callers.address_of(request),
        object_id=str(found.pk),
        method=str(request.method),
        request=form.cleaned_data,
    )
    audit.record(event)
