"""All hostile inputs of a seed."""

import random

from hostile.case import Case
from hostile.configs import config_cases
from hostile.data import data_cases
from hostile.folders import folder_cases
from hostile.runs import run_cases

COUNTS = {folder_cases: 60, run_cases: 160, config_cases: 90, data_cases: 90}


def all_cases(seed: int) -> list[Case]:
    return [case for make, count in COUNTS.items() for case in make(random.Random(f"{seed} {make.__name__}"), count)]
