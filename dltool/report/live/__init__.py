"""A local page over all runs below a folder, which follows them while they train; read-only, for this computer only.

`server` answers requests and refuses those that are not the user's; `routes` says what an address is; `index` knows the
runs; `list_view`, `run_view` and `comparison_view` make the three kinds of pages, and `changes` finds what is new in
them. The pages themselves are those of dltool.report. Nothing here writes a file.
"""
