"""What brings a database to the models."""
