"""A code that was typed: looked at where the Defender lets it be, and refused with a sentence in its form."""

from django.forms import Form
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django_otp.models import Device

from portal import defender
from portal.models import User
from portal.sign_in import devices
from portal.sign_in.forms import too_soon
from portal.sign_in.refusals import refused


def checked(request: HttpRequest, user: User, form: Form) -> Device | None:
    """The device of the code in the form, which is used up; otherwise the form says what is wrong with it."""
    # Whoever guessed too often here hears the door's answer, whatever he typed.
    if not defender.may_try(request, user.get_username()):
        return None
    try:
        device = devices.use_code(user, form.cleaned_data["code"])
    except devices.TooSoon as wait:
        # The code was not looked at: it may be the right one, and it was no guess.
        form.add_error("code", too_soon(wait.until))
        return None
    if device is None:
        form.add_error("code", _("The code is wrong or was used already."))
        refused(request, user, "code")
    return device
