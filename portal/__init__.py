"""The ground of the portal: settings, sign-in, rights and the API's envelope. Imports no app."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
