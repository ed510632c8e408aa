"""What processes tell of themselves: heartbeats of workers, totals for `/metrics`, and what ran last."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkerHeartbeat(models.Model):
    """When a worker last did the beat's work; `/readyz` looks for a recent one. Gone with a worker that stops."""

    worker = models.CharField(_("worker"), max_length=200, primary_key=True)
    at = models.DateTimeField(_("last seen"))
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    version = models.CharField(_("version"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        default_permissions = ()

    def __str__(self) -> str:
        return self.worker


class RunningTotal(models.Model):
    """A number for `/metrics` that only grows; every process on every machine adds to it. `counting.py` writes it."""

    name = models.CharField(_("name"), max_length=60)
    labels = models.CharField(_("labels"), max_length=300, blank=True)
    value = models.FloatField(_("value"), default=0)
    at = models.DateTimeField(_("last added to"))

    class Meta:
        verbose_name = _("running total")
        verbose_name_plural = _("running totals")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="one_running_total")]

    def __str__(self) -> str:
        return f"{self.name} {self.labels}"


class LastRun(models.Model):
    """When something that runs regularly last did, how long it took, and with what result."""

    name = models.CharField(_("name"), max_length=60, primary_key=True)
    at = models.DateTimeField(_("finished"))
    seconds = models.FloatField(_("seconds"))
    result = models.JSONField(_("result"), default=dict, blank=True)

    class Meta:
        verbose_name = _("last run")
        verbose_name_plural = _("last runs")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class CallCount(models.Model):
    """How often something was done in a minute, where Redis does not count it. `rates.py` writes it."""

    name = models.CharField(_("name"), max_length=100)
    minute = models.PositiveIntegerField(_("minute"), db_index=True)
    count = models.PositiveIntegerField(_("count"))

    class Meta:
        verbose_name = _("calls of a minute")
        verbose_name_plural = _("calls of a minute")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["name", "minute"], name="call_counted_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.minute}"
