"""The page "Your preferences": what everybody may choose for themselves."""

from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from portal import admin_trail
from portal.models import User


def zones() -> list[tuple[str, str]]:
    """Every zone that a person may live in, and none of the tz database's own names."""
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [("", str(_("The portal's: %(zone)s") % {"zone": settings.TIME_ZONE})), *((name, name) for name in places)]


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    """What everybody may choose for themselves."""

    time_zone = forms.ChoiceField(label=_("Time zone"), required=False, choices=zones, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = User
        fields = ("language", "time_zone")
        widgets = {"language": UnfoldAdminSelectWidget}


def page(request: HttpRequest) -> HttpResponse:
    """The page "Your preferences"; the site lets only staff in."""
    user = User.objects.get(username=request.user.get_username())
    form = PreferencesForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        admin_trail.note_page(request, 200)
        with translation.override(user.language or translation.get_language()):
            messages.success(request, gettext("Your preferences are kept."))
        return HttpResponseRedirect(request.path)
    context = admin.site.each_context(request) | {"title": gettext("Your preferences"), "form": form}
    return TemplateResponse(request, "admin/preferences.html", context)
