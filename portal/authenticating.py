"""Signing in with a password, as Django does it, for accounts that are not over; a session ends with its account."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from portal import expiry


class LivingAccounts(ModelBackend):
    """What the Defender's own, named in AUTHENTICATION_BACKENDS, is built on."""

    def user_can_authenticate(self, user: Any) -> bool:
        return super().user_can_authenticate(user) and not expiry.has_ended(user)
