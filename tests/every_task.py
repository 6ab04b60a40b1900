"""A small training of every kind of task, as overrides; {texts} is a folder of `write_every_text`."""

# Four steps of 150 images in an epoch, and short evaluations.
FEW_DIGITS = (
    *("data=digits", "data.batch_size=150", "data.train_samples=600", "data.val_fraction=0.03"),
    "data.test_fraction=0.03",
)
TASKS = {
    "supervised": ["model=mlp", "model.hidden=[8]", "model.dropout=0.3", "data=iris", "data.batch_size=16"],
    "images": ["model=mlp", "model.hidden=[8]", "data=digits", "data.batch_size=150", "data.augment.shift=1"],
    "augmented images": [
        *("model=mlp", "model.hidden=[8]", "data=digits", "data.batch_size=150", "data.augment.rotation=20"),
        *("data.augment.contrast=0.5", "data.augment.cutout=2", "data.augment.noise=0.1"),
        *("data.augment.mixup=0.4", "data.augment.cutmix=1", "trainer.accumulate=2"),
    ],
    "regression": ["model=mlp", "model.hidden=[8]", "model.norm=batch", "data=diabetes", "data.batch_size=64"],
    "gan": [
        "model=gan",
        "model.generator_hidden=[8]",
        "model.discriminator_hidden=[8]",
        "data=gaussians",
        "data.num_samples=200",
        "data.batch_size=20",
        "task.discriminator_steps=2",
    ],
    "conditional gan with spectral norm": [
        *("model=sngan", "model.condition=projection", "model.generator_width=2", "model.discriminator_width=2"),
        *(*FEW_DIGITS, "trainer.average.kind=ema", "trainer.accumulate=2"),
    ],
    "critic with bursts": [
        *("model=wgan", "model.generator_width=2", "model.discriminator_width=2", "data=digits"),
        *("data.batch_size=50", "loss.num_first_bursts=2", "loss.burst_steps=7", "loss.burst_every_n_steps=4"),
    ],
    "critic with a penalty": [
        *("model=wgan_gp", "model.generator_width=2", "model.discriminator_width=2", *FEW_DIGITS),
        "loss.critic_steps=2",
    ],
    "lazy penalty": [
        *("model=dcgan", "model.generator_width=2", "model.discriminator_width=2", "model.discriminator_norm=null"),
        *(*FEW_DIGITS, "loss=non_saturating_r1", "loss.r1_every_n_steps=3"),
    ],
    "diffusion": [
        *("model=unet", "model.width=4", "model.blocks=1", "model.dropout=0.1", "model.condition=class"),
        *("task.sampling_steps=2", *FEW_DIGITS, "trainer.average.kind=ema"),
    ],
    "autoencoder": [
        *("model=autoencoder", "model.hidden=[8]", "model.latent_dim=3", "data=digits", "data.batch_size=150"),
        *("task.noise=masking", "task.sparsity=l1"),
    ],
    "vae": [
        *("model=vae", "model.hidden=[8]", "model.latent_dim=3", "model.condition=input", "data=digits"),
        *("data.batch_size=150", "task.beta_warmup_steps=11", "task.num_importance_samples=2", "task.nll_samples=3"),
    ],
    "vae of numbers": [
        *("model=vae", "model.hidden=[8]", "model.latent_dim=2", "model.decoder_std=learned", "loss=gaussian"),
        *("data=iris", "data.batch_size=16", "trainer.accumulate=2"),
    ],
    "cyclegan": [  # Its pools are full after the second step.
        *("model=cyclegan", "model.width=2", "model.blocks=1", "model.discriminator_width=2", "data=digit_pairs"),
        *("data.resize=16", "data.batch_size=16", "data.val_fraction=0.02", "data.test_fraction=0.02"),
        *("task.pool_size=20", "data.augment.shift=1", "trainer.accumulate=2", "trainer.limit_batches=4"),
    ],
    # Stops fall between the penalties, which are due at every third and every second step.
    "stylegan2": [
        *("model=stylegan2", "model.condition=input", "model.width=2", "model.max_width=4", "model.latent_dim=4"),
        *("model.w_dim=4", "model.mapping_layers=1", "data=digits", "data.batch_size=8", "trainer.limit_batches=4"),
        *("task.r1_every_n_steps=3", "task.path_length_every_n_steps=2"),
        *("trainer.average.kind=ema", "trainer.average.decay=0.9"),
    ],
    "language model of crops": [
        *("model=gpt", "model.dim=8", "model.depth=1", "model.num_heads=2", "model.dropout=0.1", "data=text"),
        *("data.path={texts}/text.txt", "data.length=32", "data.batch_size=16"),
    ],
    "language model with carried state": [
        *("model=lstm", "model.hidden_dim=8", "model.embedding_dim=8", "model.dropout=0.1", "data=text"),
        *("data.path={texts}/text.txt", "data.length=32", "data.batch_size=16", "data.tokenizer.kind=word"),
    ],
    "texts grouped by their length": [
        *("model=gru", "model.hidden_dim=8", "model.embedding_dim=8", "data=names", "data.path={texts}/names.txt"),
        *("data.batch_tokens=40", "trainer.average.kind=ema", "trainer.average.decay=0.9"),
    ],
    "cloze": [
        *("model=lstm", "model.hidden_dim=8", "model.embedding_dim=8", "model.bidirectional=true", "data=names"),
        *("data.path={texts}/names.txt", "task=cloze", "data.batch_size=16"),
    ],
    "translation": [
        *("model=gru", "model.hidden_dim=8", "model.embedding_dim=8", "model.dropout=0.1", "data=reversal"),
        *("data.num_samples=120", "data.batch_size=16"),
    ],
    "tagging": [
        *("model=gru", "model.hidden_dim=8", "model.embedding_dim=8", "model.word_dropout=0.1", "data=conllu"),
        *("data.root={texts}", "data.batch_size=8"),
    ],
    "adversarial": [
        *("model=cnn", "model.channels=[2]", "model.hidden=[8]", "model.norm=batch", *FEW_DIGITS),
        *("task=adversarial", "attack.steps=2", "attack.restarts=2", "attack.num_samples=50"),
        *("model.dropout=0.2", "task.warmup_steps=5", "trainer.accumulate=2"),
    ],
    "trades": [
        *("model=mlp", "model.hidden=[8]", "data=digits", "data.batch_size=150", "task=adversarial", "attack=fgsm_rs"),
        *("task.method=trades", "trainer.precision=bf16-mixed"),
    ],
    "perturbation game": [
        *("model=mlp", "model.hidden=[8]", "model.norm=batch", "data=digits", "data.batch_size=150", "attack=noise"),
        *("task=perturbation_game", "task.attacker_channels=[2,4]", "task.attacker_steps=2"),
        *("trainer.average.kind=ema", "trainer.average.decay=0.9"),
    ],
    "rosenblatt": ["model=perceptron", "data=logic", "data.batch_size=1"],
}
