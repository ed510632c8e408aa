"""The page behind the link that sponsors are sent. Whatever only looks, mail scanners too, decides nothing."""

from typing import Any, cast

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from guests import approvals, durations
from guests import rules as rules_of
from guests.models import Approval
from portal import audit, callers
from portal.admin.rights import demand
from portal.errors import Refusal, Why
from portal.models import User
from portal.permissions import Right

APPROVE, DENY = "approve", "deny"


class StayForm(forms.Form):
    """For how long. What is offered follows from the guest's type."""

    duration = forms.ChoiceField(label=_("For how long"))

    def __init__(self, approval: Approval, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = approval.registration.guest_type
        field = cast("forms.ChoiceField", self.fields["duration"])
        field.choices, field.initial = approvals.choices(kind), durations.written(approvals.usual(kind))


class ReasonForm(forms.Form):
    """Why not; the guest reads it."""

    reason = forms.CharField(
        label=_("Why not"), max_length=approvals.LONGEST_REASON, help_text=_("The guest will read it.")
    )


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
        return render(request, "guests/approval_over.html", status=404)
    by = _signed_in(request, found) if needs_account else None
    stay = StayForm(found, request.POST if request.POST.get("decision") == APPROVE else None)
    reason = ReasonForm(request.POST if request.POST.get("decision") == DENY else None)
    if request.method == "POST" and (done := _decided(request, found, by, stay, reason)):
        return done
    return render(request, "guests/approval.html", {"approval": found, "stay": stay, "reason": reason})


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
        return render(request, "guests/approval_over.html", {"sentence": refusal.sentence}, status=409)
    _note(request, found, by, 200, form)
    return render(request, "guests/approval_done.html", {"approval": found})


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
