"""Compare Darkroom's imaging library with sharp and libvips: `make bench-imaging`."""
