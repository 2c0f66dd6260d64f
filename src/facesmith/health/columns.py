"""What other programs call the numbers of a record."""

from __future__ import annotations

import re

LOSSES = (
    "{}_loss",
    "loss_{}",
    "err{}",
    "loss_{}_loss",
    "{}loss",
    "loss{}",
    "err_{}",
    "train_loss_{}",
)
NAMES: dict[str, tuple[str, ...]] = {
    "images_seen": (
        "images_seen",
        "images",
        "nimg",
        "cur_nimg",
        "n_images",
        "seen",
        "samples_seen",
    ),
    "kimg": ("kimg", "progress_kimg", "cur_kimg"),
    "steps": (
        *(
            "steps",
            "step",
            "iter",
            "iters",
            "iteration",
            "iterations",
            "it",
            "n_iter",
            "global_step",
        ),
        *("batches_done", "itr", "progress_step"),
    ),
    "seconds": ("seconds", "sec", "elapsed", "elapsed_seconds", "total_sec", "timing_total_sec"),
    "clock": ("timestamp", "wall_time", "time"),
    "images_per_second": ("images_per_second", "img_s", "imgs_sec", "img_sec"),
    "discriminator_loss": tuple(
        name.format(word)
        for name in LOSSES
        for word in ("d", "dis", "disc", "discriminator", "critic", "netd")
    ),
    "discriminator_loss_real": ("d_loss_real", "loss_d_real", "errd_real", "d_real_loss"),
    "discriminator_loss_fake": ("d_loss_fake", "loss_d_fake", "errd_fake", "d_fake_loss"),
    "generator_loss": tuple(
        name.format(word) for name in LOSSES for word in ("g", "gen", "generator", "netg")
    ),
    "real_probability": ("d_x", "dx", "real_probability"),
    "fake_probability": ("d_g_z", "dgz", "d_g_z_1", "d_g_z1", "dgz1", "fake_probability"),
    "real_logits": ("loss_scores_real", "scores_real", "real_logits", "logits_real", "real_score"),
    "fake_logits": ("loss_scores_fake", "scores_fake", "fake_logits", "logits_fake", "fake_score"),
    "real_sign": ("loss_signs_real", "signs_real", "real_sign"),
    "fake_sign": ("loss_signs_fake", "signs_fake", "fake_sign"),
    "discriminator_gradient": (
        "grad_norm_d",
        "d_grad_norm",
        "gradnorm_d",
        "discriminator_gradient",
    ),
    "generator_gradient": ("grad_norm_g", "g_grad_norm", "gradnorm_g", "generator_gradient"),
    "learning_rates.discriminator": ("lr_d", "d_lr", "learning_rate_d", "d_learning_rate"),
    "learning_rates.generator": ("lr_g", "g_lr", "learning_rate_g", "g_learning_rate"),
    "penalties.R1": ("loss_r1_penalty", "r1_penalty", "r1", "loss_r1", "r1_loss"),
    "penalties.GradientPenalty": ("gp", "gradient_penalty", "loss_gp", "d_gp", "grad_penalty"),
    "memory_gb": ("resources_cpu_mem_gb", "cpu_mem_gb"),
}
"""By our name, those of others as `plain` writes them."""
OURS = {plain: name for name, others in NAMES.items() for plain in others}


def plain(column: str) -> str:
    """Write a column's name in small letters and underscores: `Loss/D/loss` is `loss_d_loss`."""
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
