"""OAuth2 clients. The pages that django-oauth-toolkit brings along ask for no right of ours, and are taken out."""

from django.contrib import admin
from oauth2_provider.models import AccessToken, Application, Grant, IDToken, RefreshToken

admin.site.unregister([AccessToken, Application, Grant, IDToken, RefreshToken])
