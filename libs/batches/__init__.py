"""CSV batches: reading files, creating batches, releasing their jobs, exporting results."""
