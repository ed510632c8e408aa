"""The WSGI application; it does not start with a wrong setting."""

import os

from django.core.wsgi import get_wsgi_application

from portal.checks import refuse_wrong_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

refuse_wrong_settings()
application = get_wsgi_application()
