"""The variational autoencoder: maximize the evidence lower bound."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from dltool.core.batch import Batch
from dltool.core.randomness import generator, normal_quantiles
from dltool.core.spec import DataSpec
from dltool.data.mixing import no_mixing
from dltool.declarations.component import EvaluationOnly, NonNegative, Positive, register, requires
from dltool.losses.likelihood import Likelihood
from dltool.metrics.mean import Mean, MeanOver
from dltool.models.vae import Vae
from dltool.tasks.coding import CodingTask
from dltool.tasks.importance import log_likelihood
from dltool.tasks.task import Loss, Source, Updater


@register("task", "vae", loss_for="vae", pixels="unit")
@no_mixing
@requires(
    lambda config: config.task.binarize in ("auto", "none") or config.loss.name == "bernoulli",
    "task.binarize makes pixels black or white, but the loss is a likelihood of real numbers",
    hint="task.binarize=auto, or loss=bernoulli",
)
class VaeTask(CodingTask):
    """Minimize -ELBO = E_q -log p(x|z) + KL(q(z|x) ‖ p(z)) (Kingma and Welling 2014, arXiv:1312.6114, eq. 3 and 10).

    One z = μ + σ ε is drawn for each sample. All terms are in nats per sample: sums over its numbers, means over the
    samples. A factor β on the KL divergence makes it the β-VAE (Higgins et al. 2017, ICLR), whose objective is not a
    bound for β < 1 and a looser one for β > 1.

    A Bernoulli decoder has a likelihood for black and white pixels only. They are drawn again each time a sample is
    used, white with the probability of their grey value (Burda et al. 2016, arXiv:1509.00519, section 5.1, after
    Salakhutdinov and Murray 2008); in an evaluation they are fixed, as a function of the position in the split, so that
    neither the seed nor the batch size changes the result. Without binarization, training on grey pixels works, but the
    objective is not an ELBO, can be less than any negative ELBO, and is therefore called "grey_neg_elbo".

    Logged: "loss" as minimized, "reconstruction", "kl", and "neg_elbo", their sum with β = 1. An evaluation's "loss"
    uses β after the warm-up. It adds "nll_k" if `num_importance_samples` is k.

    Args:
        beta: β.
        beta_warmup_steps: Number of steps over which β grows linearly from 0 (Sønderby et al. 2016, arXiv:1602.02282,
            section 2.3, there over epochs), so that the code is used before it is penalized.
        binarize: "dynamic" draws pixels as above, "threshold" makes those above 0.5 white, "none" leaves them
            unchanged; "auto" is dynamic for loss=bernoulli, else none.
        num_importance_samples: k of the estimate of -log p(x) in an evaluation, see dltool.tasks.importance; null for
            none, since it decodes k codes per sample.
        nll_samples: Number of samples of the split, from the first, for the estimate; null for all.
        measures: See GenerativeTask; the samples are from the prior.

    Attributes:
        num_steps: Training steps so far.
    """

    model: Vae
    criterion: Likelihood
    metric_directions: ClassVar[dict[str, str]] = {
        "reconstruction": "min",
        "kl": "min",
        "neg_elbo": "min",
        "grey_neg_elbo": "min",
        "nll_*": "min",
        "grey_nll_*": "min",
    }

    def __init__(
        self,
        model: Vae,
        loss: Likelihood,
        spec: DataSpec,
        *,
        beta: NonNegative[float] = 1.0,
        beta_warmup_steps: NonNegative[int] = 0,
        binarize: Literal["auto", "dynamic", "threshold", "none"] = "auto",
        num_importance_samples: EvaluationOnly[Positive[int] | None] = None,
        nll_samples: EvaluationOnly[Positive[int] | None] = 1000,
        **measures: Any,
    ) -> None:
        super().__init__(model, loss, spec, **measures)
        self.beta, self.beta_warmup_steps = beta, beta_warmup_steps
        automatic = "dynamic" if loss.of_pixels else "none"
        self.binarize = automatic if binarize == "auto" else binarize
        self.is_grey = loss.of_pixels and self.binarize == "none"
        self.num_importance_samples, self.nll_samples = num_importance_samples, nll_samples
        self.num_steps = 0
        self.start_evaluation()

    @property
    def loss_of_numbers(self) -> str:
        return "gaussian"

    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        logs = updaters["model"].minimize(self.loss, source.draw())
        self.num_steps += 1
        return logs

    def loss(self, batch: Batch) -> Loss:
        inputs = torch.bernoulli(batch.inputs) if self.binarize == "dynamic" else self.thresholded(batch.inputs)
        noise = torch.randn(batch.size, self.latent_dim, device=inputs.device)
        reconstruction, kl = self.elbo(inputs, self.labels(batch), noise)
        loss = reconstruction + self.beta_of_step() * kl
        return Loss(loss, batch.size, self.logs(loss, reconstruction, kl, batch.size))

    def elbo(self, inputs: Tensor, labels: Tensor | None, noise: Tensor) -> tuple[Tensor, Tensor]:
        """The two terms of -ELBO for ε `(B, latent_dim)`, scalars."""
        mean, log_variance = self.posterior(inputs, labels)
        codes = mean + (0.5 * log_variance).exp() * noise
        log_prob = self.criterion.log_prob(self.model.decode(codes, labels).float(), inputs, self.model.log_std)
        return -log_prob.mean(), kl_divergence(mean, log_variance).mean()

    def posterior(self, inputs: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """μ and log σ² of q(z|x), in float32, also under autocast."""
        mean, log_variance = self.model.encode(inputs, labels)
        return mean.float(), log_variance.float()

    def beta_of_step(self) -> float:
        return self.beta * min(1.0, self.num_steps / self.beta_warmup_steps) if self.beta_warmup_steps else self.beta

    def logs(self, loss: Tensor, reconstruction: Tensor, kl: Tensor, count: int) -> dict[str, Mean]:
        parts = {"loss": loss, self.named("neg_elbo"): reconstruction + kl, "reconstruction": reconstruction, "kl": kl}
        return {name: MeanOver(part.detach(), count) for name, part in parts.items()}

    def named(self, metric: str) -> str:
        """A metric's name, with a prefix if it is not based on a likelihood."""
        return f"grey_{metric}" if self.is_grey else metric

    def thresholded(self, inputs: Tensor) -> Tensor:
        """The inputs of the networks without randomness: black and white unless they stay grey."""
        return inputs if self.binarize == "none" else (inputs > 0.5).to(inputs.dtype)

    def start_evaluation(self) -> None:
        super().start_evaluation()
        self.draws = generator(0, "vae evaluation")
        self.num_seen = 0

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        self.show_sample_evaluator(batch)
        self.show_codes(batch)
        labels = self.labels(batch)
        inputs, noise = self.drawn_once(batch.inputs)
        reconstruction, kl = self.elbo(inputs, labels, noise)
        logs = self.logs(reconstruction + self.beta * kl, reconstruction, kl, batch.size)
        if self.num_importance_samples is not None:
            remaining = batch.size if self.nll_samples is None else self.nll_samples - self.num_seen
            if (count := min(batch.size, remaining)) > 0:
                total = sum(self.log_likelihood(inputs, labels, place) for place in range(count))
                logs[self.named(f"nll_{self.num_importance_samples}")] = Mean(-total, count)
        self.num_seen += batch.size
        return logs

    def drawn_once(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The evaluated samples and their ε, the same for a position in a split for any batch size."""
        num_pixels = inputs[0].numel() if self.binarize == "dynamic" else 0
        table = torch.rand(len(inputs), num_pixels + self.latent_dim, generator=self.draws, dtype=torch.float64)
        noise = normal_quantiles(table[:, num_pixels:]).to(inputs.device)
        if self.binarize != "dynamic":
            return self.thresholded(inputs), noise
        shares = table[:, :num_pixels].float().to(inputs.device).view(inputs.shape)  # (B, C * H * W) -> (B, C, H, W)
        return (shares < inputs).to(inputs.dtype), noise

    def log_likelihood(self, inputs: Tensor, labels: Tensor | None, place: int) -> Tensor:
        """The estimate of log p(x) of one sample of a batch."""
        x, y = inputs[place : place + 1], None if labels is None else labels[place : place + 1]
        mean, log_variance = self.posterior(x, y)

        def log_weights(noise: Tensor) -> Tensor:
            """log p(x|z) + log p(z) - log q(z|x); the constants of the two normal densities are the same."""
            codes, count = mean + (0.5 * log_variance).exp() * noise, len(noise)
            outputs = self.model.decode(codes, None if y is None else y.expand(count)).float()
            log_prob = self.criterion.log_prob(outputs, x.expand(count, *x.shape[1:]), self.model.log_std)
            return log_prob + 0.5 * (noise.square() + log_variance - codes.square()).sum(1)

        assert self.num_importance_samples is not None
        return log_likelihood(
            log_weights,
            self.num_importance_samples,
            self.latent_dim,
            generator(0, "importance", self.num_seen + place),
            input_dim=x.numel(),
            device=x.device,
        )

    @torch.no_grad()
    def codes(self, inputs: Tensor, labels: Tensor | None = None) -> Tensor:
        return super().codes(self.thresholded(inputs), labels)

    @property
    def remarks(self) -> list[str]:
        remarks = list(super().remarks)
        if self.is_grey:
            remarks.append(
                "grey_neg_elbo: the Bernoulli cross-entropy of grey pixels is not a likelihood and this not a bound; "
                "do not compare it with an ELBO (task.binarize=dynamic measures one)"
            )
        if not self.criterion.of_pixels and len(self.spec.input_shape) == 3:
            remarks.append(
                "neg_elbo: of a density, although pixels have 256 discrete values; it depends on data.scaling, and "
                "cannot be compared with that of black and white pixels"
            )
        if self.num_importance_samples is not None:
            which = "all samples" if self.nll_samples is None else f"the first {min(self.nll_samples, self.num_seen):,}"
            remarks.append(
                f"{self.named(f'nll_{self.num_importance_samples}')}: importance-weighted, for {which}; at least "
                "-log p(x) in expectation"
            )
        return remarks

    def state_dict(self) -> dict[str, Any]:
        return {"num_steps": self.num_steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.num_steps = state["num_steps"]


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ² I) ‖ N(0, I)) = ½ Σ μ² + σ² - log σ² - 1, at least 0, `(B,)` (Kingma and Welling, appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).sum(1)
