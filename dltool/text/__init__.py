"""Tokenisation of text, and back."""
