"""Every setting, from the environment only. `.env.example` explains each one."""

from pathlib import Path

from nguon.web import environment as env

DATA_DIR = Path(env.text("NGUON_DATA_DIR", "var")).resolve()
MEDIA_DIR = DATA_DIR / "media"
KEYS_DIR = DATA_DIR / "keys"
# Emptied and filled by `run_relays`, served by every web process; worth no backup.
RELAYS_DIR = DATA_DIR / "relays"
ARCHIVE_DIR = Path(env.text("NGUON_ARCHIVE_DIR", "") or DATA_DIR / "archive").resolve()
KEEP_MONTHS = env.number("NGUON_KEEP_MONTHS", 24)

DEBUG = env.flag("NGUON_DEBUG", default=False)
SECRET_KEY = env.text("NGUON_SECRET_KEY", "")
LOGIN_URL = "/dang-nhap/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/dang-nhap/"
ALLOWED_HOSTS = env.words("NGUON_ALLOWED_HOSTS", "127.0.0.1,localhost")
PUBLIC_URL = env.text("NGUON_PUBLIC_URL", "http://127.0.0.1:8000")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

NATS_URL = env.text("NGUON_NATS_URL", "nats://127.0.0.1:4222")
MQTT_HOST = env.text("NGUON_MQTT_HOST", "127.0.0.1")
MQTT_PORT = env.number("NGUON_MQTT_PORT", 1883)
MQTT_TLS = env.flag("NGUON_MQTT_TLS", default=False)
LEAVES = env.leaves("NGUON_LEAVES")
POKE = env.text("NGUON_POKE", "127.0.0.1:8790")
GATEWAY_HEALTH = env.text("NGUON_GATEWAY_HEALTH", "127.0.0.1:8791")
WORKER_HEALTH = env.text("NGUON_WORKER_HEALTH", "127.0.0.1:8792")
RELAYS_HEALTH = env.text("NGUON_RELAYS_HEALTH", "127.0.0.1:8793")
# Who may ask /metrics besides this machine; see `web.views.figures`.
METRICS_FROM = env.networks("NGUON_METRICS_FROM")
METRICS_TOKEN = env.text("NGUON_METRICS_TOKEN", "")
LOG_FORM = env.text("NGUON_LOG_FORM", "text")
QUIET_HOURS = env.text("NGUON_QUIET_HOURS", "22:00-05:00")
# The operator's accounts at providers of messages; see deploy/kenh.example.toml.
CHANNELS_FILE = env.text("NGUON_CHANNELS", "")
# Makers of browsers; `host:port` may stand inside the network.
PUSH_HOSTS = env.words(
    "NGUON_PUSH_HOSTS",
    "fcm.googleapis.com,*.push.services.mozilla.com,*.push.apple.com,"
    "*.notify.windows.com",
)
RELAY_ALLOWED = env.words("NGUON_RELAY_ALLOWED", "")
VOICES_FILE = env.text("NGUON_VOICES_FILE", "")
SPEECH_CACHE_MB = env.number("NGUON_SPEECH_CACHE_MB", 256)

DATABASES = {
    "default": env.database(
        env.text("NGUON_DATABASE_URL", f"sqlite://{DATA_DIR}/nguon.sqlite3")
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "people.Officer"

INSTALLED_APPS = [
    "nguon.demo",
    "nguon.web",
    "nguon.reorganization",
    "nguon.reports",
    "nguon.plan",
    "nguon.indicators",
    "nguon.registers",
    "nguon.portal",
    "nguon.gateway",
    "nguon.channels",
    "nguon.emergency",
    "nguon.schedule",
    "nguon.newsroom",
    "nguon.fleet",
    "nguon.people",
    "nguon.territory",
    "nguon.audit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "nguon.web.middleware.CompressTextMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "nguon.web.middleware.SafeHeadersMiddleware",
    "nguon.web.middleware.SignInRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "nguon.web.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "nguon.web.urls"
ASGI_APPLICATION = "nguon.web.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "nguon.web.context.frame",
            ]
        },
    }
]

# Sign-in. Administrators make accounts; rate limits count by name and by address.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": f"django.contrib.auth.password_validation.{name}",
        "OPTIONS": options,
    }
    for name, options in (
        ("MinimumLengthValidator", {"min_length": 10}),
        ("CommonPasswordValidator", {}),
        (
            "UserAttributeSimilarityValidator",
            {"user_attributes": ("username", "full_name", "email", "phone")},
        ),
    )
]
ACCOUNT_ADAPTER = "nguon.people.adapter.OfficerAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
# A whole office signs in from one address.
ACCOUNT_RATE_LIMITS = {"login": "120/m/ip", "login_failed": "30/m/ip,8/300s/key"}
MFA_ADAPTER = "nguon.people.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Nguon"
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off

EMAIL_BACKEND = env.text(
    "NGUON_EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend"
)
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_HOST = env.text("NGUON_EMAIL_HOST", "127.0.0.1")
EMAIL_PORT = env.number("NGUON_EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("NGUON_EMAIL_USER", "")
EMAIL_HOST_PASSWORD = env.text("NGUON_EMAIL_PASSWORD", "")
EMAIL_USE_TLS = env.flag("NGUON_EMAIL_TLS", default=False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("NGUON_EMAIL_FROM", "nguon@localhost")

LANGUAGE_CODE = "vi"
TIME_ZONE = "Asia/Ho_Chi_Minh"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # straight from the package: no collectstatic step
WHITENOISE_MAX_AGE = 3600

CSRF_FAILURE_VIEW = "nguon.web.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "nguon_session"
SESSION_COOKIE_AGE = 12 * 3600  # one long shift
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 30 * 24 * 3600 if PUBLIC_URL.startswith("https://") else 0

# A bulletin of 100,000 characters must come in far enough to be refused politely.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# What goes wrong in a page is written where the operator looks, with its cause.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
