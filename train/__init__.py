"""Fine-tuning and pretraining."""
