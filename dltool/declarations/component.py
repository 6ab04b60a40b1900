"""How a Python class or function becomes an option of a config group.

    @register("model", "lenet", inputs="image", min_size=32, native_size=32)
    class LeNet(nn.Module):
        def __init__(self, spec: DataSpec, *, num_filters: Positive[int] = 6) -> None: ...

The positional arguments come from the program (here: the spec of the data); the keyword-only ones are the keys of the
option's YAML. That signature is the whole schema. dltool.declarations.source reads it from the source text, so that a
config is checked, listed and completed without importing torch. The decorators below therefore take only literals,
class names and lambdas, and change nothing at run time.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

T = TypeVar("T")
Component = TypeVar("Component", bound=Callable[..., Any])

# Ranges that a signature can declare: `lr: Positive[float] = 0.1`.
Positive = Annotated[T, "> 0"]
NonNegative = Annotated[T, ">= 0"]
Probability = Annotated[T, "in [0, 1]"]
Fraction = Annotated[T, "in [0, 1)"]
PositiveProbability = Annotated[T, "in (0, 1]"]

Array = float | list["Array"]  # A number, or nested lists of numbers, such as the rows of a matrix.

# The role of a data set's key, as in `missing: Membership[Literal["refuse", "drop"]] = "refuse"`. Every key of dltool's
# own data sets has one. In a user's code, an unmarked key of a loader is a Source, so that another value means other
# data, and an unmarked key of the class that it is built into is Handling. dltool.config.data_roles reads the marks.
Source = Annotated[T, "which data it is: variant, settings of a generator"]
Location = Annotated[T, "where the data lies: the same contents elsewhere are the same data"]
SplitLocation = Annotated[T, "where the file lies that states each sample's split"]
Membership = Annotated[T, "which samples there are, or which split each is in"]
Handling = Annotated[T, "how samples are prepared and drawn"]
Placement = Annotated[T, "where samples are stored and which process loads them; does not affect results"]

# The role of a task's key that changes evaluations and samples but not the training, as in
# `metrics: EvaluationOnly[list[str] | None] = None`: `dltool evaluate RUN` accepts another value.
EvaluationOnly = Annotated[T, "affects evaluations and samples, not the training"]

# The types of keyword-only arguments that dltool.declarations.source can read.
TYPES = (
    "int, float, bool, str, Literal[…], X | None, list[X], tuple[X, Y], dict[str, X], Positive[int], "
    "NonNegative[float], Fraction[float], Probability[float], PositiveProbability[float], Array for numbers in nested "
    "lists, and dataclasses of these; "
    "of a data set also Source[X], Location[X], Membership[X], Handling[X], Placement[X] around any of them, of a task "
    "EvaluationOnly[X]; "
    "a default is a literal, or SomeSettings()"
)


def register(group: str, name: str, *, into: type | None = None, **traits: Any) -> Callable[[Component], Component]:
    """Make the decorated class or function the option `group=name`.

    Args:
        group: The config group, such as "model".
        name: The value of `name:` in the option's YAML; unique within the group.
        into: A class whose keyword-only arguments every option of this kind shares. It is built around the
            component: `into(partial(component, **own_fields), …, **shared_fields)`.
        traits: Literal values that rules and automatic choices read without importing the component, such
            as `inputs="image"`; dltool.declarations.traits defines those of each group.
    """
    del group, name, into, traits  # Read from the source text.
    return lambda component: component


def requires(
    condition: Callable[[Any], bool], message: str, *, hint: str | None = None
) -> Callable[[Component], Component]:
    """Declare a rule between fields, checked whenever the decorated component is selected.

    A rule that several components share gets a name at module level, `needs_classes = requires(lambda config: …, "…")`,
    is imported where it is needed and used as `@needs_classes`. Rules are not inherited.

    Args:
        condition: A lambda over the whole config, `lambda config: config.trainer.accumulate == 1`. Each
            group has its fields and its component's traits as attributes. It is not run as Python but parsed and
            evaluated by dltool.declarations.conditions: comparisons, and/or/not, if/else, arithmetic on numbers,
            subscripts, `.get`, literals, and the functions `len`, `min`, `max`, `any`, `all`.
        message: The error if the condition is false; `{data.name}` in it stands for the value of that field.
        hint: The override to type.
    """
    del condition, message, hint  # Read from the source text.
    return lambda component: component
