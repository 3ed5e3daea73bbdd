from django.urls import path

from gallery import views

urlpatterns = [
    path("images/", views.upload),
    path("images/<int:image_id>/", views.show),
    path("images/<int:image_id>/download/", views.download),
]
