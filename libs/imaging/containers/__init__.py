"""Read size, frame count and completeness from each file format without decoding pixels.

One module per format. `gif`, `webp`, `avif` and `png` parse the bytes themselves, because Pillow allocates
memory for the picture when it opens such a file, or reads as many blocks as a hostile file holds.
"""
