"""Adversarial perturbations of a classifier's inputs; see dltool.attacks.attack."""
