"""The admin pages: Piccolo's, over the tables, with a start page, thumbnails and actions of our own."""

from apps.api.admin.pages import admin_routes

__all__ = ["admin_routes"]
