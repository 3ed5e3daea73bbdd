import django
from celery import Celery

django.setup()
app = Celery("gallery")
app.set_default()  # also in the threads of gunicorn
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["gallery"])
