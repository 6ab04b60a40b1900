"""The figures of a run's diagnostics: what each needs, what it computes; drawing is done by dltool.figures."""
