"""The package that every other one imports; it imports none of them."""
