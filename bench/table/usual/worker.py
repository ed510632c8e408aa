"""Celery's application, and its task."""

import os

import requests
from celery import Celery, shared_task
from django.utils import timezone
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.table.usual.settings")

app = Celery("usual")
app.config_from_object("django.conf:settings", namespace="CELERY")


@shared_task(name="send", autoretry_for=(requests.RequestException,), retry_backoff=True, max_retries=5)
def send(key: int) -> None:
    """Sends one message, and writes down that it was sent."""
    rows = import_string("bench.table.usual.models.Sms").objects.filter(pk=key)
    sms = rows.get()
    answer = requests.post(os.environ["BENCH_PROVIDER"], json={"to": sms.phone, "text": sms.text}, timeout=15)
    answer.raise_for_status()
    rows.update(state="sent", reference=str(answer.json()["id"]), sent_at=timezone.now())
