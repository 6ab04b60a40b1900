import math

import pytest
import torch

from dltool.core.errors import ConfigError
from dltool.metrics.directions import declared_direction
from dltool.metrics.frechet import frechet_distance, moments
from dltool.metrics.kernel_distance import kernel_distance, standardized, unbiased_discrepancy
from dltool.metrics.manifold import manifold_metrics, own_radius
from dltool.metrics.mode_counts import kl_to_uniform, num_modes
from dltool.metrics.nearest import nearest_distances, nearest_metrics
from dltool.metrics.of_samples import SampleMetrics


def normal(count, dim, seed=0):
    return torch.randn(count, dim, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def whitened(count, dim, seed=0):
    """Points whose mean is exactly 0 and whose covariance exactly 1."""
    points = normal(count, dim, seed)
    points = points - points.mean(dim=0)
    factor = torch.linalg.cholesky(moments(points)[1])
    return torch.linalg.solve_triangular(factor, points.T, upper=False).T


class TestFrechetDistance:
    def test_of_two_normals_in_closed_form(self):
        # Commuting covariances: Σ (√λ - √μ)², and the squared distance of the means.
        points = whitened(200, 3)
        first = points * torch.tensor([1.0, 2.0, 3.0]) + torch.tensor([1.0, 0.0, 0.0])
        second = points * torch.tensor([2.0, 2.0, 1.0]) + torch.tensor([0.0, 2.0, 0.0])
        assert frechet_distance(first, second) == pytest.approx(1 + 4 + 1 + 0 + 4)

    def test_covariances_that_do_not_commute(self):
        # S₁ = diag(4, 1); S₂ the same turned by 45°: tr (S₁ S₂)^½ = √(tr S₁S₂ + 2 √det S₁S₂) in two dimensions.
        points = whitened(100, 2)
        first = points * torch.tensor([2.0, 1.0])
        turn = torch.tensor([[1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64) / math.sqrt(2)
        trace = 2 * 5 - 2 * math.sqrt(0.5 * (16 + 1 + 4 + 4) + 2 * 4)
        assert frechet_distance(first, first @ turn) == pytest.approx(trace)

    def test_is_zero_for_equal_sets_and_symmetric(self):
        first, second = normal(50, 5), normal(60, 5, seed=1)
        assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)
        assert frechet_distance(first, second) == pytest.approx(frechet_distance(second, first))

    def test_takes_features_that_do_not_vary(self):
        dead = torch.cat([normal(50, 2), torch.zeros(50, 2)], dim=1)
        assert frechet_distance(dead, dead + 1) == pytest.approx(4)


class TestKernelDistance:
    def test_of_two_small_sets_by_hand(self):
        x, y = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [3.0]])
        # k(1, 2) = 27 twice of 2; k(0, 3) = 1; across k(1, 0) = 1, k(1, 3) = 64, k(2, 0) = 1, k(2, 3) = 343.
        assert unbiased_discrepancy(x, y) == pytest.approx(27 + 1 - 2 * (1 + 64 + 1 + 343) / 4)
        assert kernel_distance(x, y, torch.Generator()) == (pytest.approx(27 + 1 - 204.5), 0.0)

    def test_is_unbiased(self):
        values = torch.tensor(
            [unbiased_discrepancy(normal(20, 4, seed), normal(30, 4, 1000 + seed)) for seed in range(300)]
        )
        error = values.std() / math.sqrt(300)
        assert abs(values.mean()) < 3 * error
        assert (values < 0).any()

    def test_takes_subsets_of_larger_sets(self):
        first, second = normal(100, 4), normal(100, 4, 1) + 0.5
        whole = unbiased_discrepancy(first, second)
        source = torch.Generator().manual_seed(0)
        mean, deviation = kernel_distance(first, second, source, subset_size=20, num_subsets=400)
        assert deviation > 0
        assert mean == pytest.approx(whole, abs=4 * deviation / 20)

    def test_standardized_features_do_not_depend_on_the_scale(self):
        features, reference = normal(50, 3), normal(60, 3, 1) * 5 + 2
        scaled = standardized(reference, reference)
        assert scaled.mean(0).tolist() == pytest.approx([0, 0, 0])
        assert scaled.square().mean().item() == pytest.approx(1)
        assert torch.allclose(standardized(features, reference), standardized(features * 7, reference * 7))
        constant = torch.ones(60, 3)
        assert (standardized(features, constant) == features - 1).all()


class TestManifold:
    def test_equals_brute_force(self):
        data, samples, k = normal(23, 2), normal(19, 2, 1) + 0.5, 3

        def radius(points, i):
            return sorted(math.dist(points[i], points[j]) for j in range(len(points)) if j != i)[k - 1]

        def inside(point, points):
            return [math.dist(point, points[i]) <= radius(points, i) for i in range(len(points))]

        of_samples = [inside(sample, data) for sample in samples]
        expected = {
            "precision": sum(map(any, of_samples)) / 19,
            "recall": sum(any(inside(point, samples)) for point in data) / 23,
            "density": sum(map(sum, of_samples)) / 19 / k,
            "coverage": sum(any(row[i] for row in of_samples) for i in range(23)) / 23,
        }
        assert manifold_metrics(data, samples, k) == pytest.approx(expected)

    def test_of_equal_and_of_distant_sets(self):
        data = normal(40, 3)
        same = manifold_metrics(data, data)
        assert (same["precision"], same["recall"], same["coverage"]) == (1, 1, 1)
        assert set(manifold_metrics(data, data + 100).values()) == {0}

    def test_a_single_mode_is_precise_and_covers_little(self):
        data = torch.cat([normal(50, 2), normal(50, 2, 1) + 50])
        found = manifold_metrics(data, normal(100, 2, 2))
        assert found["precision"] > 0.9
        assert found["coverage"] <= 0.5

    def test_few_points_have_fewer_neighbours(self):
        assert own_radius(torch.tensor([[0.0], [1.0], [3.0]]), 5).tolist() == [3, 2, 3]


class TestModeCounts:
    def test_counts_classes_and_their_spread(self):
        even = torch.full((10,), 3)
        assert (num_modes(even), kl_to_uniform(even)) == (10, pytest.approx(0))
        single = torch.tensor([5] + 9 * [0])
        assert (num_modes(single), kl_to_uniform(single)) == (1, pytest.approx(math.log(10)))
        lopsided = torch.tensor([3, 0, 1, 0])
        assert num_modes(lopsided) == 2
        assert kl_to_uniform(lopsided) == pytest.approx(0.75 * math.log(3) + 0.25 * math.log(1))


class TestNearest:
    def test_finds_the_nearest_image_exactly(self):
        data = torch.randint(0, 256, (9000, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
        samples = torch.cat([data[8999:], 255 - data[:3]])
        brute = (samples.flatten(1).double()[:, None] - data.flatten(1).double()).norm(dim=2).amin(dim=1) / 255
        found = nearest_distances(samples, data)
        assert found[0] == 0
        assert torch.allclose(found, brute)

    def test_copies_are_nearer_than_held_out_data(self):
        usual = torch.linspace(1, 2, 101)
        assert nearest_metrics(torch.zeros(4), usual) == {"nearest_distance": 0, "copies": 1}
        assert nearest_metrics(usual, usual)["copies"] == pytest.approx(5 / 101)


class TestNames:
    def test_each_once_and_groups_spelled_out(self):
        asked = SampleMetrics.of(["fd", "prdc", "coverage", "fd"])
        assert asked.names == ("fd", "precision", "recall", "density", "coverage")
        assert asked.main == ("fd_lenet", "min")
        assert SampleMetrics.of(["modes"]).main is None
        assert SampleMetrics.of(["fd"], features="weights.pth").main == ("fid_inception", "min")

    def test_an_unknown_one_has_a_nearest(self):
        with pytest.raises(ConfigError) as refused:
            SampleMetrics.of(["fd", "covrage"])
        assert refused.value.message.startswith("task.metrics: covrage is not a metric of samples")
        assert refused.value.hint == "did you mean coverage?"

    @pytest.mark.parametrize("name", ["val/fd_lenet", "fid_inception", "kid_lenet", "val/kl_to_uniform", "test/copies"])
    def test_less_of_these_is_better(self, name):
        assert declared_direction(name) == "min"

    def test_more_of_others_is(self):
        assert declared_direction("val/coverage") == declared_direction("class_accuracy") == "max"
