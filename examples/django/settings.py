import os
from urllib.parse import unquote, urlsplit

SECRET_KEY = "only for this example"
INSTALLED_APPS = ["team"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

url = urlsplit(os.environ["DATABASE_URL"])
if url.scheme == "sqlite":
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": url.netloc + url.path}}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": url.path[1:],
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": url.hostname or "",
            "PORT": url.port or "",
        }
    }
