"""What can be told of each file format without decoding a pixel.

One module per format. Those of `gif`, `webp`, `avif` and `png` read the bytes themselves, because Pillow
allocates for the picture when it opens one, or walks as many blocks as a hostile file holds.
"""
