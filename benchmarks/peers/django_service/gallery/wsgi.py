from django.core.wsgi import get_wsgi_application

from gallery.celery import app

__all__ = ["app", "application"]

application = get_wsgi_application()
