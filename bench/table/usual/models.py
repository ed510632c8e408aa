"""A message of the usual way."""

from django.db import models


class Sms(models.Model):
    """What is to be sent, and what became of it."""

    phone = models.CharField(max_length=20)
    text = models.TextField()
    state = models.CharField(max_length=20, default="queued", db_index=True)
    reference = models.CharField(max_length=200, blank=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "usual"

    def __str__(self) -> str:
        return self.phone
