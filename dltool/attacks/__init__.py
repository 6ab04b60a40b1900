"""What an adversary does to inputs so that a classifier errs; see dltool.attacks.attack."""
