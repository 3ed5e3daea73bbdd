"""CSV batches: read, taken in, handed out."""
