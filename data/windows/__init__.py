"""Articles as model input: windows, targets, batches."""
