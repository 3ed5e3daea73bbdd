"""The admin pages: Piccolo's, over the tables, with a start page, thumbnails and actions of our own."""

from apps.api.admin.mount import admin_route

__all__ = ["admin_route"]
