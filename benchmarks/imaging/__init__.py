"""Darkroom's imaging beside libvips: `make bench-imaging`."""
