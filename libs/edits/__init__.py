"""Edits by prompt: requests for them, the image model that makes them, and its errors."""
