from io import BytesIO

from celery import shared_task
from django.core.files.base import ContentFile
from PIL import Image as Picture
from PIL import ImageOps

from gallery.models import Image

SIZE = (800, 600)


@shared_task
def process(image_id: int) -> None:
    image = Image.objects.get(pk=image_id)
    image.status = "processing"
    image.save(update_fields=["status"])
    with Picture.open(image.original.path) as picture:
        resized = ImageOps.exif_transpose(picture).resize(SIZE, Picture.Resampling.LANCZOS)
    buffer = BytesIO()
    resized.save(buffer, "JPEG", quality=82)
    image.result.save(f"{image_id}.jpg", ContentFile(buffer.getvalue()), save=False)
    image.status = "completed"
    image.save(update_fields=["status", "result"])
