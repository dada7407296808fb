"""What a site costs: terms with units, delivered power for training, queries for inference."""
