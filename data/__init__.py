"""Articles, labels, text and the road from annotations to batches."""
