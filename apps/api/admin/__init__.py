"""The admin pages: Piccolo's pages for tables, with our own start page, thumbnails and actions."""

from apps.api.admin.mount import admin_route

__all__ = ["admin_route"]
