"""The devices of a guest, as the network names them. Knows no HTTP."""

from django.utils import timezone
from django.utils.translation import ngettext

from guests.models import Device, Guest, Registration
from portal.errors import Refusal, Why


def note(guest: Guest, mac: str, ssid: str = "") -> Device | None:
    """The guest comes in with this device. None where the network does not name it.

    Raises Refusal (a conflict, field `device`) where the guest's type allows no further one.
    """
    if not mac:
        return None
    known = Device.objects.filter(guest=guest, mac=mac).first()
    if known is None:
        _check_room(guest)
    seen = {"last_seen": timezone.now(), **({"ssid": ssid} if ssid else {})}
    device: Device = Device.objects.update_or_create(guest=guest, mac=mac, defaults=seen)[0]
    return device


def note_arrival(guest: Guest, registration: Registration) -> None:
    """The same for the device that the network named in a registration. Raises Refusal as `note` does."""
    note(guest, registration.mac, str(registration.arrival.get("ssid") or ""))


def forget(guest: Guest, device_id: int) -> None:
    """The guest comes in with this device no more, and has room for another one."""
    Device.objects.filter(guest=guest, pk=device_id).delete()


def _check_room(guest: Guest) -> None:
    most = guest.guest_type.devices if guest.guest_type else None
    if most is not None and guest.devices.count() >= most:
        sentence = ngettext(
            "You have %(most)d device here already. Remove it under “My access” to use this one.",
            "You have %(most)d devices here already. Remove one under “My access” to use this one.",
            most,
        )
        raise Refusal(sentence % {"most": most}, field="device", why=Why.CONFLICT)
