"""Images by URL: signed addresses, presets, and the cache of renditions."""
