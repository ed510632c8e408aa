"""Challenges that nobody could use any more are thrown away."""

from captcha.models import CaptchaStore
from django.utils import timezone

from guests.models import SpentChallenge


def forget_old_challenges() -> int:
    """Proofs that were taken and pictures that were shown, once they have expired."""
    now = timezone.now()
    proofs, _ = SpentChallenge.objects.filter(expires_at__lt=now).delete()
    pictures, _ = CaptchaStore.objects.filter(expiration__lt=now).delete()
    return proofs + int(pictures)
