"""Articles as model input: encoding into windows, gold as targets, batches."""
