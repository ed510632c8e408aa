"""openwisp-radius on PostgreSQL and Redis, as its documents set it up; read in the peer's own environment."""

import os
from urllib.parse import urlsplit

from celery import Celery

_database = urlsplit(os.environ["PEER_DATABASE_URL"])
REDIS_URL = os.environ["PEER_REDIS_URL"]

SECRET_KEY = "bench-only-" + "p" * 60
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "urls"
LANGUAGE_CODE = "en"
USE_TZ = True
STATIC_URL = "static/"
MEDIA_URL = "media/"
#: Nothing is written there: nobody imports guests.
PRIVATE_STORAGE_ROOT = "private"
SITE_ID = 1

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "openwisp_utils.admin_theme",
    "openwisp_users.accounts",
    "django.contrib.sites",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "rest_framework",
    "django_filters",
    "rest_framework.authtoken",
    "dj_rest_auth",
    "dj_rest_auth.registration",
    "openwisp_radius",
    "openwisp_users",
    "openwisp_notifications",
    "private_storage",
    "django.contrib.admin",
    "drf_yasg",
    "django_extensions",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "loaders": [
                "django.template.loaders.filesystem.Loader",
                "openwisp_utils.loaders.DependencyLoader",
                "django.template.loaders.app_directories.Loader",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "openwisp_utils.admin_theme.context_processor.menu_groups",
            ],
        },
    }
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _database.hostname,
        "PORT": _database.port,
        "USER": _database.username,
        "PASSWORD": _database.password or "",
        "NAME": _database.path.removeprefix("/"),
        # As the portal keeps its connections.
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}}
#: Its tasks go to Redis as in earnest; no worker takes them, which is to the peer's advantage.
Celery("openwisp", broker=REDIS_URL).set_default()

AUTH_USER_MODEL = "openwisp_users.User"
AUTHENTICATION_BACKENDS = ("openwisp_users.backends.UsersAuthenticationBackend",)
REST_AUTH = {
    "SESSION_LOGIN": False,
    "REGISTER_SERIALIZER": "openwisp_radius.api.serializers.RegisterSerializer",
    "PASSWORD_RESET_SERIALIZER": "openwisp_radius.api.serializers.PasswordResetSerializer",
}

# What guests are asked, and where their codes go: no letters, and the SMS is taken by phones.py.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
SENDSMS_BACKEND = "phones.SmsBackend"
OPENWISP_RADIUS_SMS_VERIFICATION_ENABLED = True
OPENWISP_RADIUS_NEEDS_IDENTITY_VERIFICATION = True

# Its limits would end the run after a few guests, who all come from one address.
OPENWISP_RADIUS_SMS_TOKEN_MAX_USER_DAILY = 1_000_000
OPENWISP_RADIUS_SMS_TOKEN_MAX_IP_DAILY = 1_000_000
OPENWISP_RADIUS_SMS_COOLDOWN = 0
ACCOUNT_RATE_LIMITS = False
REST_FRAMEWORK = {"DEFAULT_THROTTLE_RATES": {"anon": None, "others": None}}
