"""Models that make and change images, behind one small Protocol."""
