"""What the model is held against: published worked examples of the rules it runs."""
