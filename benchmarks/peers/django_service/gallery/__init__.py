"""A minimal image service on Django, Celery and Redis, as a comparison: upload, resize, download."""
