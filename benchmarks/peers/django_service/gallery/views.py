from django.http import FileResponse, HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404

from gallery.models import Image
from gallery.tasks import process


def upload(request: HttpRequest) -> JsonResponse:
    image = Image.objects.create(original=request.FILES["image"])
    process.delay(image.pk)
    return JsonResponse({"id": image.pk, "status": image.status}, status=202)


def show(_: HttpRequest, image_id: int) -> JsonResponse:
    image = get_object_or_404(Image, pk=image_id)
    return JsonResponse({"id": image.pk, "status": image.status})


def download(_: HttpRequest, image_id: int) -> FileResponse:
    image = get_object_or_404(Image, pk=image_id)
    return FileResponse(image.result.open(), content_type="image/jpeg")
