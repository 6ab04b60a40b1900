"""One page per run, sweep or study: a single HTML file that opens without a network, from the files of the run.

`run_document` and `sweep_document` read a folder into one JSON document (dltool.report.document has its format, which
`dltool report --json` prints); `page` fills the templates with it. Nothing here imports torch.
"""
