"""Sequences from trained models: text that is sampled, translations that are searched."""
