"""Compare Darkroom's imaging library with libvips: `make bench-imaging`."""
