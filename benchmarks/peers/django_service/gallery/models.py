from django.db import models


class Image(models.Model):
    original = models.FileField(upload_to="originals/%Y/%m/%d")
    result = models.FileField(upload_to="results/%Y/%m/%d", blank=True)
    status = models.CharField(max_length=16, default="pending")
    created_at = models.DateTimeField(auto_now_add=True)
