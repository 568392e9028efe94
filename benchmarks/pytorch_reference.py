"""InfoGAN in plain PyTorch, as people write it, to time ours against.

The networks of the paper's tables and its losses; two updates a step, D's on real and
generated images, then G's together with Q's on a second look at the generated ones.
Written for this benchmark only. A worker: see `worker.py`.

    python benchmarks/pytorch_reference.py mnist|svhn|celeba [float32|bfloat16]
"""

import sys

import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from torch import nn
from worker import serve

BATCH = 128
# categorical codes of ten values, continuous codes, noise
CODES = {"mnist": (1, 2, 62), "svhn": (4, 4, 124), "celeba": (10, 0, 128)}


def dense(inputs: int, outputs: int, activation: nn.Module) -> list[nn.Module]:
    """A fully connected layer with batch normalisation."""
    return [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), activation]


def up(inputs: int, outputs: int, *, batch_norm: bool = False) -> list[nn.Module]:
    """A 4 x 4 up-convolution that doubles the image, and a ReLU."""
    weights = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=not batch_norm)
    return [weights, *([nn.BatchNorm2d(outputs)] if batch_norm else []), nn.ReLU()]


def down(inputs: int, outputs: int, *, batch_norm: bool = True) -> list[nn.Module]:
    """A 4 x 4 convolution that halves the image, and a leaky ReLU."""
    weights = nn.Conv2d(inputs, outputs, 4, 2, 1, bias=not batch_norm)
    norm = [nn.BatchNorm2d(outputs)] if batch_norm else []
    return [weights, *norm, nn.LeakyReLU(0.1)]


def networks(name: str) -> tuple[nn.Module, nn.Module, int, tuple[int, int, int]]:
    """Generator, trunk, the trunk's features, and one image's shape."""
    categorical, continuous, noise = CODES[name]
    latents = 10 * categorical + continuous + noise
    if name == "mnist":  # Table 1
        generator = nn.Sequential(
            *dense(latents, 1024, nn.ReLU()),
            *dense(1024, 7 * 7 * 128, nn.ReLU()),
            nn.Unflatten(1, (128, 7, 7)),
            *up(128, 64, batch_norm=True),
            *up(64, 1)[:1],
            nn.Sigmoid(),
        )
        trunk = nn.Sequential(
            *down(1, 64, batch_norm=False),
            *down(64, 128),
            nn.Flatten(),
            *dense(7 * 7 * 128, 1024, nn.LeakyReLU(0.1)),
        )
        return generator, trunk, 1024, (1, 28, 28)
    generator = nn.Sequential(  # SVHN's and CelebA's
        *dense(latents, 2 * 2 * 448, nn.ReLU()),
        nn.Unflatten(1, (448, 2, 2)),
        *up(448, 256, batch_norm=True),
        *up(256, 128),
        *up(128, 64),
        *up(64, 3)[:1],
        nn.Tanh(),
    )
    trunk = nn.Sequential(
        *down(3, 64, batch_norm=False),
        *down(64, 128),
        *down(128, 256),
        nn.Flatten(),
    )
    return generator, trunk, 4 * 4 * 256, (3, 32, 32)


def main() -> None:
    torch.manual_seed(0)
    name, bfloat16 = sys.argv[1], "bfloat16" in sys.argv
    categorical, continuous, noise = CODES[name]
    generator, trunk, features, shape = networks(name)
    real = nn.Linear(features, 1)
    recognition = nn.Sequential(
        *dense(features, 128, nn.LeakyReLU(0.1)),
        nn.Linear(128, 10 * categorical + 2 * continuous),
    )
    discriminator = nn.ModuleList([trunk, real, recognition])
    g_optimizer = torch.optim.Adam(generator.parameters(), 1e-3, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.999))
    images = torch.rand(BATCH, *shape)
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

    def step() -> float:
        categories = torch.randint(10, (BATCH, categorical))
        codes = torch.rand(BATCH, continuous) * 2 - 1
        z = torch.rand(BATCH, noise) * 2 - 1
        latents = torch.cat([F.one_hot(categories, 10).flatten(1), codes, z], 1)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            fakes = generator(latents)
            real_logits = real(trunk(images))
            fake_logits = real(trunk(fakes.detach()))
        loss = F.binary_cross_entropy_with_logits(real_logits.float(), ones)
        loss = loss + F.binary_cross_entropy_with_logits(fake_logits.float(), zeros)
        d_optimizer.zero_grad()
        loss.backward()
        d_optimizer.step()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            seen = trunk(fakes)
            fake_logits, read = real(seen), recognition(seen)
        loss = F.binary_cross_entropy_with_logits(fake_logits.float(), ones)
        logits = read[:, : 10 * categorical].float().reshape(-1, 10)
        loss = loss + categorical * F.cross_entropy(logits, categories.flatten())
        if continuous:
            mean, log_std = read[:, 10 * categorical :].float().chunk(2, 1)
            log_std = log_std.clamp(-2.3, 1.0)
            standard = (codes - mean) * torch.exp(-log_std)
            loss = loss + (0.5 * standard**2 + log_std).sum(1).mean()
        g_optimizer.zero_grad()
        d_optimizer.zero_grad()
        loss.backward()
        g_optimizer.step()
        d_optimizer.step()
        return float(loss.detach())

    serve(step)


if __name__ == "__main__":
    main()
