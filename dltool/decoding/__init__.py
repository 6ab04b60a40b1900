"""Decoding of sequences from trained models: text by sampling, translations by search."""
