"""Forgetting a guest's device, from the page of the guest."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from guests import devices
from portal.admin.rights import RightsAdmin, demand
from portal.permissions import Right


class DevicePages(RightsAdmin):
    """Adds the way to it to the pages of guests."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.forget_device)
        return [path("<int:pk>/forget_device/", page, name="guests_guest_forget_device"), *super().get_urls()]

    def forget_device(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The guest has room for another one."""
        demand(request, Right.USERS_READ_SPONSORED, Right.USERS_UPDATE)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        guest = self.get_queryset(request).filter(pk=pk).first()
        named = request.POST.get("device", "")
        device = guest.devices.filter(pk=named).first() if guest and named.isdecimal() else None
        if guest is None:
            raise Http404
        # One that another click has forgotten is what was wanted.
        if device is not None:
            with transaction.atomic():
                devices.forget(guest, device.pk)
                self.note(request, "forget_device", 200, guest, {"device": device.mac})
            messages.success(request, gettext("Device %(mac)s is forgotten.") % {"mac": device.mac})
        return HttpResponseRedirect(reverse("admin:guests_guest_change", args=(guest.pk,)))
