"""The usual way, a Django project of its own: a task of Celery for each message, with one `requests.post` in it."""
