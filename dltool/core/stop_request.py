"""Whether a signal asked the training to stop, for code that waits in the middle of a step."""


class StopRequest:
    """The state of the signals that dltool.engine.signals handles in this process.

    Attributes:
        received: Whether one came. The training still finishes the step under way.
    """

    received = False


STOP = StopRequest()
