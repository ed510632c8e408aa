"""Every setting of the portal. The environment is read here and nowhere else; checks.py refuses what is wrong.

Setting DATABASE_URL or REDIS_URL makes this a production set-up: keys and host names must then be given.
"""

import hmac
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

import environ

from portal import databases, dress, logs, state
from portal.environment import (
    Environment,
    flag,
    known_region,
    known_time_zone,
    listen_address,
    long_word,
    mail_address,
    mail_server,
    networks,
    one_of,
    redis_url,
    some_of,
    web_address,
    whole_number,
    words,
)
from portal.ways import USUAL_DROP_INS, USUAL_WAYS, DropIn, WayIn

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")
environment = Environment(env)

# Where state lives, and in which of the two set-ups we are

STATE_FOLDER = environment.read("PORTAL_VAR", lambda raw: Path(raw).absolute(), BASE_DIR / "var", "Name a folder.")
state.prepare(STATE_FOLDER)

DATABASE_URL = environment.text("DATABASE_URL")
PRODUCTION = bool(DATABASE_URL or environment.text("REDIS_URL"))

# Keys

SECRET_KEY: str = environment.text("SECRET_KEY") or ("" if PRODUCTION else state.kept_key(STATE_FOLDER, "secret_key"))
ENCRYPTION_KEYS: list[str] = words(environment.text("ENCRYPTION_KEYS")) or (
    [] if PRODUCTION else [state.kept_key(STATE_FOLDER, "encryption_key")]
)

# The web

DEBUG = False
#: The address at which the web listens; gunicorn's command line may overrule it, and it tells us.
BIND = environment.read("BIND", listen_address, "127.0.0.1", "Give an address of this machine, such as 0.0.0.0.")
PORT = environment.read("PORT", whole_number(1, 65535), 8000, "Give a port number from 1 to 65535.")
ALLOWED_HOSTS = words(environment.text("ALLOWED_HOSTS")) or ([] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]"])
#: Where our reverse proxies are: what they forward is believed, and nobody else's word.
TRUSTED_PROXIES: list[IPv4Network | IPv6Network] = environment.read(
    "TRUSTED_PROXIES", networks, [], "List the networks of your reverse proxies, such as 127.0.0.1/32,10.0.0.0/24."
)
HTTPS = environment.read("PORTAL_HTTPS", flag, PRODUCTION, "Say true or false.")
#: Where people and providers reach the portal, without a slash at its end; empty: providers cannot call us.
PORTAL_URL = environment.read(
    "PORTAL_URL", web_address, "", "Give the portal's own address, such as https://sms.example.org."
)
#: A provider's host may be in these networks although they are private: a gateway on the LAN, for example.
GATEWAY_ALLOWED_NETWORKS: list[IPv4Network | IPv6Network] = environment.read(
    "GATEWAY_ALLOWED_NETWORKS", networks, [], "List networks such as 192.168.10.0/24,10.0.0.5/32."
)
WEB_PROCESSES = environment.read("WEB_PROCESSES", whole_number(1, 64), 2, "Give the web's process count, 1 to 64.")
WEB_THREADS = environment.read("WEB_THREADS", whole_number(2, 256), 8, "Give the web's thread count, 2 to 256.")

SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
#: The health probes of a load balancer and Prometheus come over plain HTTP from inside.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
#: Which page says so depends on whose form it was.
CSRF_FAILURE_VIEW = "portal.stale_forms.refuse"
#: Frames are refused by portal/headers.py, on more answers than Django's own middleware sees.
#: Reached by address only, the portal has no origin for passkeys, and its pages say so. Axes' middleware would answer
#: in its own way; `portal.defender.door` answers. A password for a token, which RFC 9700 discourages, is how Mobile
#: SMARTS does it; API_WAYS_IN closes that way.
SILENCED_SYSTEM_CHECKS = ["security.W002", "otp_webauthn.E030", "axes.W002", "oauth2_provider.W002"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    # Before Django's admin, whose templates it dresses. Its other configuration would put a site of its own over ours.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "axes",
    "knox",
    # Before `portal`, which takes its pages out of the admin.
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_otp",
    "django_otp_webauthn",
    "captcha",
    "portal",
    "gateways",
    "messaging",
    "guests",
]

MIDDLEWARE = [
    # First, so that its headers are on every answer, whoever of the others gives it.
    "portal.headers.SecurityHeaders",
    # Before whatever asks whether the request came over HTTPS.
    "portal.callers.ForwardedByOurProxies",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    # Before any way in; after the reader's language is known, and within what adds headers to every answer.
    "portal.defender.door.Door",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "portal.preferences.as_their_reader_likes",
    "django.contrib.messages.middleware.MessageMiddleware",
    "portal.sign_in.sessions.SessionEnds",
    # Last: it times the views alone.
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

#: Widgets of our own are drawn by templates of our own.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

STATIC_URL = "static/"
STATIC_ROOT = STATE_FOLDER / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
#: Without a collectstatic step the embedded set-up serves static files from where they are.
WHITENOISE_USE_FINDERS = not PRODUCTION

# The database

DATABASES = {
    "default": environment.read(
        "DATABASE_URL",
        lambda raw: databases.postgresql(env.db_url_config(raw)),
        databases.sqlite(STATE_FOLDER),
        "Write postgres://user:password@host:5432/name, or leave it out to use the embedded SQLite.",
    )
}

# Celery, the bell

REDIS_URL = environment.read(
    "REDIS_URL", redis_url, "", "Write redis://:password@host:6379/0, or leave it out to use files as the broker."
)
CELERY_BROKER_URL = REDIS_URL or "folder://localhost"
#: Kombu would try for six seconds to reach a Redis that is gone, while somebody waits for an answer.
ONE_TRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"visibility_timeout": 3600, "socket_connect_timeout": 2, "socket_timeout": 30, **ONE_TRY}
    if REDIS_URL
    else {"polling_interval": 0.05, "folder": str(state.broker_folder(STATE_FOLDER))}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
#: A bell that cannot be rung is not worth waiting for: the sweep finds the message.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_TIMEZONE = "UTC"
#: Nothing on disk: after a restart everything is due at once, which is right for what runs every second or minute.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
#: No task expires: that would compare beat's clock with a worker's.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {"task": "messaging.tasks.sweep", "schedule": 1.0},
    "housekeeping": {"task": "portal.tasks.keep_house", "schedule": 60.0},
}

# Signing in

AUTH_USER_MODEL = "portal.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "portal.defender.handler.PasswordInTime"]
PASSWORD_HASHERS = ["portal.passwords.PortalPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
#: Without a choice sign_in/policy.py decides by where the web listens.
ADMIN_2FA = environment.read("ADMIN_2FA", one_of("required", "optional"), "", "Say required or optional.")
ADMIN_IDLE_MINUTES = environment.read(
    "ADMIN_IDLE_MINUTES", whole_number(1, 720), 30, "Give the minutes after which an unused session ends, 1 to 720."
)
#: The longest that a session lasts, in seconds, however busy it is.
SESSION_COOKIE_AGE = 12 * 60 * 60

#: Which site a passkey belongs to; the origins are the helper's, too.
OTP_WEBAUTHN_HELPER_CLASS = "portal.sign_in.passkeys.Helper"
OTP_WEBAUTHN_RP_ID_CALLABLE = "portal.sign_in.origins.relying_party"
OTP_WEBAUTHN_RP_NAME_CALLABLE = "portal.sign_in.origins.portal_name"
#: Refused passkeys are in the audit trail; the log would have a traceback of each.
OTP_WEBAUTHN_EXCEPTION_LOGGER_NAME = ""

# The ways into the API, and how long what they give lasts

#: By which ways programs come in; `portal.ways` says what each of them is.
API_WAYS_IN: list[str] = environment.read(
    "API_WAYS_IN", some_of(*(way.value for way in WayIn)), USUAL_WAYS, f"List some of {', '.join(WayIn)}; or say none."
)
#: Whose calls are understood beside our own.
API_DROP_INS: list[str] = environment.read(
    "API_DROP_INS",
    some_of(*(system.value for system in DropIn)),
    USUAL_DROP_INS,
    f"List some of {', '.join(DropIn)}; or say none.",
)
#: Minutes between two uses of a token from `login` after which it ends, and the hours after which it always does.
API_TOKEN_IDLE_MINUTES = environment.read(
    "API_TOKEN_IDLE_MINUTES", whole_number(1, 1440), 15, "Give the minutes, 1 to 1440."
)
API_TOKEN_HOURS = environment.read("API_TOKEN_HOURS", whole_number(1, 720), 12, "Give the hours, 1 to 720.")
#: Of a token from `session`, of an OAuth2 client's, and the days after the former's end in which it can be renewed.
API_SESSION_SECONDS = environment.read(
    "API_SESSION_SECONDS", whole_number(60, 2_592_000), 86_400, "Give the seconds, 60 to 2592000."
)
API_REFRESH_DAYS = environment.read("API_REFRESH_DAYS", whole_number(1, 366), 30, "Give the days, 1 to 366.")
API_OAUTH2_SECONDS = environment.read(
    "API_OAUTH2_SECONDS", whole_number(60, 2_592_000), 3600, "Give the seconds, 60 to 2592000."
)
#: Whether sessions take any `client_id`, as long as it belongs to no client that was set up, or only those that were.
API_SESSION_CLIENTS = environment.read(
    "API_SESSION_CLIENTS", one_of("any", "configured"), "any", "Say any or configured."
)
API_ENVELOPE_HOURS = environment.read("API_ENVELOPE_HOURS", whole_number(1, 720), 4, "Give the hours, 1 to 720.")
API_ENVELOPE_LIFETIME = timedelta(hours=API_ENVELOPE_HOURS)

#: Passwords and secrets of a host that are looked at in a minute, and calls of a key, client or user; 0: any number.
API_SIGN_INS_PER_MINUTE = environment.read(
    "API_SIGN_INS_PER_MINUTE", whole_number(0, 1_000_000), 60, "Give a count, 0 to 1000000."
)
API_CALLS_PER_MINUTE = environment.read(
    "API_CALLS_PER_MINUTE", whole_number(0, 1_000_000), 0, "Give a count, 0 to 1000000."
)

KNOX_TOKEN_MODEL = "portal.ApiToken"
#: Our token takes the place of knox's and our counts that of axes', whose migrations would make tables all the same.
MIGRATION_MODULES = {"knox": None, "axes": None}
REST_KNOX = {
    "AUTH_TOKEN_CHARACTER_LENGTH": 64,
    "AUTH_HEADER_PREFIX": "Bearer",
    # A gap of 15 minutes never ends a token and one of 16 always does: the last use is known to 20 seconds.
    "TOKEN_TTL": timedelta(minutes=API_TOKEN_IDLE_MINUTES, seconds=30),
    "MIN_REFRESH_INTERVAL": 20,
    "AUTO_REFRESH": True,
    "AUTO_REFRESH_MAX_TTL": timedelta(hours=API_TOKEN_HOURS),
}

#: Sessions and clients are django-oauth-toolkit's, as RFC 9700 wants them but for the password.
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
OAUTH2_PROVIDER: dict[str, Any] = {
    # What a caller may do is said by rights alone.
    "SCOPES": {"api": "All that the user may do."},
    "REFRESH_TOKEN_EXPIRE_SECONDS": timedelta(days=API_REFRESH_DAYS),
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_MATCHING": True,
    "COMPLIANT_BCP_RFC9700_PKCE_REQUIRED": True,
}

# The Defender: axes asks it before a password is looked at, and tells it of every sign-in that was refused.

AXES_HANDLER = "portal.defender.handler.Handler"
AXES_CLIENT_IP_CALLABLE = "portal.callers.address_of"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
#: Whoever is blocked already is not counted, and so cannot prolong his block.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False

#: Refused sign-ins of a host, or of a user at a host, that are taken within the window; then it is blocked.
DEFENDER_LIMIT = environment.read("DEFENDER_LIMIT", whole_number(1, 1000), 5, "Give a count of tries, 1 to 1000.")
DEFENDER_WINDOW = environment.read("DEFENDER_WINDOW", whole_number(1, 1440), 15, "Give minutes, 1 to 1440.")
#: Minutes of a first block; each further one within a day lasts twice as long, up to a day.
DEFENDER_BLOCK = environment.read("DEFENDER_BLOCK", whole_number(1, 1440), 15, "Give minutes, 1 to 1440.")
#: Hosts in these networks are never blocked as a whole.
DEFENDER_ALLOWED_NETWORKS: list[IPv4Network | IPv6Network] = environment.read(
    "DEFENDER_ALLOWED_NETWORKS", networks, [], "List networks such as 192.168.10.0/24,10.0.0.5/32."
)

# The API

REST_FRAMEWORK = {
    # In this order: each leaves to the next what is not its own.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "portal.api.authentication.entry.KeyAuthentication",
        "portal.api.authentication.entry.BasicAuthentication",
        "portal.api.authentication.entry.BearerAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["portal.api.rights.HasDeclaredRights"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.api.lenient_json.LenientJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "portal.api.schema.PortalSchema",
    "EXCEPTION_HANDLER": "portal.api.envelope.answer_exception",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Guest SMS portal",
    "DESCRIPTION": "Guests, gateways and messages. Sign in with POST /api/v1/login and send the token as a Bearer.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_AUTHENTICATION": [],
    "PREPROCESSING_HOOKS": ["portal.api.schema.without_trailing_slash"],
    # Choices are written where they are used: names made up for them would collide.
    "POSTPROCESSING_HOOKS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# The admin's dress

UNFOLD = dress.UNFOLD

# Words people read

LANGUAGE_CODE = environment.read("PORTAL_LANGUAGE", one_of("ru", "en"), "ru", "Say ru or en.")
LANGUAGES = [("ru", "Русский"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
TIME_ZONE = environment.read("PORTAL_TIME_ZONE", known_time_zone, "Europe/Moscow", "Name a zone such as Europe/Moscow.")
USE_TZ = True
#: `$portal` in the texts that guests receive.
PORTAL_NAME = environment.read("PORTAL_NAME", str, "Guest Wi-Fi", "Give the name that guests know.")
#: Numbers written without a country code belong to this country (ISO 3166).
PHONE_REGION = environment.read("PHONE_REGION", known_region, "RU", "Give the two letters of a country, such as RU.")

# Guests

#: Where a whole lobby has one address: the limits per address and per network leave these out.
GUEST_NETWORKS: list[IPv4Network | IPv6Network] = environment.read(
    "GUEST_NETWORKS", networks, [], "List networks such as 203.0.113.7/32,192.168.10.0/24."
)

#: Of the proof of work; made of SECRET_KEY, so that it need not be kept.
ALTCHA_HMAC_KEY = hmac.new(SECRET_KEY.encode(errors="surrogateescape"), b"guests.captcha", "sha256").hexdigest()
#: Minutes that a picture can be answered, as long as a proof. Its digits are bent and the ground is speckled; no
#: programs outside are asked to read them aloud.
CAPTCHA_TIMEOUT = 20
CAPTCHA_FONT_SIZE = 30
CAPTCHA_LETTER_ROTATION = (-20, 20)
CAPTCHA_FOREGROUND_COLOR = "#1b1f27"
CAPTCHA_FLITE_PATH = CAPTCHA_SOX_PATH = None

# E-mail

#: Without a mail server e-mails are files in the state folder, for whoever tries the portal out.
MAIL_SERVER: dict[str, Any] = environment.read(
    "EMAIL_URL",
    lambda raw: mail_server(env.email_url_config(raw)),
    {},
    "Write smtp+tls://user:password@mail.example.org:587, or leave it out to keep e-mails as files in PORTAL_VAR.",
)
EMAIL_BACKEND: str = MAIL_SERVER.get("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = STATE_FOLDER / "mail"
EMAIL_HOST: str = MAIL_SERVER.get("EMAIL_HOST", "")
EMAIL_PORT: int = MAIL_SERVER.get("EMAIL_PORT", 25)
EMAIL_HOST_USER: str = MAIL_SERVER.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD: str = MAIL_SERVER.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS: bool = MAIL_SERVER.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL: bool = MAIL_SERVER.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
EMAIL_FROM = environment.read(
    "EMAIL_FROM", mail_address, "portal@localhost", "Give an address such as portal@example.org."
)

# Sending

MAX_SEGMENTS = environment.read("MAX_SEGMENTS", whole_number(1, 255), 10, "Give a segment count, 1 to 255.")

# Metrics

#: Whoever shows this token reads `/metrics`.
METRICS_TOKEN = environment.read(
    "METRICS_TOKEN", long_word(24), "", "Give 24 characters or more, without blanks; or leave it out."
)
#: Nor need a token be shown in these networks. Behind a proxy of this machine everybody would seem to be in them.
METRICS_NETWORKS: list[IPv4Network | IPv6Network] = environment.read(
    "METRICS_NETWORKS",
    networks,
    [] if TRUSTED_PROXIES else networks("127.0.0.0/8,::1"),
    "List networks such as 192.168.10.0/24,10.0.0.5/32.",
)

# What is kept

AUDIT_RETENTION_DAYS = environment.read(
    "AUDIT_RETENTION_DAYS", whole_number(1, 3660), 183, "Give the number of days, 1 to 3660."
)
#: Afterwards the phones of messages are shortened, and what providers and guests wrote is emptied.
MESSAGE_RETENTION_DAYS = environment.read(
    "MESSAGE_RETENTION_DAYS", whole_number(7, 3660), 180, "Give the number of days, 7 to 3660."
)

LOGGING = logs.configuration(
    environment.read(
        "LOG_LEVEL", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO", "Say DEBUG, INFO, WARNING or ERROR."
    )
)
