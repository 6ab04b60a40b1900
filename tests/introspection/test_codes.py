import torch

from dltool.core.batch import Batch
from dltool.introspection.codes import NUM_KEPT, Codes


def test_so_many_codes_are_kept_and_no_more():
    codes = Codes()
    for _ in range(3):
        codes.see(Batch(torch.zeros(900, 1), torch.zeros(900), 900), torch.ones(900, 2))
    assert codes.codes.shape == (NUM_KEPT, 2)
    assert len(codes.targets) == NUM_KEPT
    codes.start()
    assert codes.num_kept == 0
