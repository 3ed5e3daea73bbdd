import os
from urllib.parse import urlsplit

_database = urlsplit(os.environ["GALLERY_DATABASE"])

SECRET_KEY = "of a benchmark"  # noqa: S105
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["gallery"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "gallery.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.path.lstrip("/"),
        "HOST": _database.hostname,
        "PORT": _database.port,
        "USER": _database.username,
        "PASSWORD": _database.password,
        "CONN_MAX_AGE": 60,
    }
}
MEDIA_ROOT = os.environ["GALLERY_FILES"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CELERY_BROKER_URL = os.environ["GALLERY_BROKER"]
CELERY_TASK_IGNORE_RESULT = True
USE_TZ = True
