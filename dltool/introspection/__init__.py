"""Inspection of networks: receptive fields, feature maps, attention, mistakes, layer tables."""
