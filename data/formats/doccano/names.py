"""Keys of an example that the reader and the writer share."""

GOLD_TYPES = "event_types"
PREDICTED_TYPES = "predicted_event_types"
