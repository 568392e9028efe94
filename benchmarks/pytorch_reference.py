"""InfoGAN on MNIST in plain PyTorch, as people write it, to time ours against.

The networks of Table 1 and the losses of the paper; two updates a step, D's on real and
generated images, then G's together with Q's on a second look at the generated ones. Written
for this benchmark only. A worker: for each line "N" on standard input it does N steps
and answers with the milliseconds of each, space-separated.

    python benchmarks/pytorch_reference.py [float32|bfloat16]
"""

import sys
import time

import torch
import torch.nn.functional as F  # noqa: N812  everybody's name for it
from torch import nn

BATCH, NOISE, CATEGORIES, CONTINUOUS = 128, 62, 10, 2


class Generator(nn.Module):
    """FC 1024; FC 7 x 7 x 128; upconv 64; upconv 1."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Sequential(
            nn.Linear(NOISE + CATEGORIES + CONTINUOUS, 1024, bias=False),
            nn.BatchNorm1d(1024),
            nn.ReLU(),
            nn.Linear(1024, 7 * 7 * 128, bias=False),
            nn.BatchNorm1d(7 * 7 * 128),
            nn.ReLU(),
        )
        self.up = nn.Sequential(
            nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 1, 4, 2, 1),
        )

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.up(self.dense(latents).view(-1, 128, 7, 7)))


class Discriminator(nn.Module):
    """Conv 64; conv 128; FC 1024; then D's output, and FC 128 with Q's."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 64, 4, 2, 1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(64, 128, 4, 2, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(0.1),
            nn.Flatten(),
            nn.Linear(7 * 7 * 128, 1024, bias=False),
            nn.BatchNorm1d(1024),
            nn.LeakyReLU(0.1),
        )
        self.real = nn.Linear(1024, 1)
        self.recognition = nn.Sequential(
            nn.Linear(1024, 128, bias=False),
            nn.BatchNorm1d(128),
            nn.LeakyReLU(0.1),
            nn.Linear(128, CATEGORIES + 2 * CONTINUOUS),
        )

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.trunk(images)
        return self.real(features), self.recognition(features)


def main() -> None:
    torch.manual_seed(0)
    bfloat16 = "bfloat16" in sys.argv
    generator, discriminator = Generator(), Discriminator()
    g_optimizer = torch.optim.Adam(generator.parameters(), 1e-3, betas=(0.5, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.999))
    images = torch.rand(BATCH, 1, 28, 28)
    ones, zeros = torch.ones(BATCH, 1), torch.zeros(BATCH, 1)

    def step() -> float:
        category = torch.randint(CATEGORIES, (BATCH,))
        codes = torch.rand(BATCH, CONTINUOUS) * 2 - 1
        noise = torch.rand(BATCH, NOISE) * 2 - 1
        latents = torch.cat([F.one_hot(category, CATEGORIES), codes, noise], 1)
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            fakes = generator(latents)
            real_logits, _ = discriminator(images)
            fake_logits, _ = discriminator(fakes.detach())
        loss = F.binary_cross_entropy_with_logits(real_logits.float(), ones)
        loss = loss + F.binary_cross_entropy_with_logits(fake_logits.float(), zeros)
        d_optimizer.zero_grad()
        loss.backward()
        d_optimizer.step()
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            fake_logits, read = discriminator(fakes)
        read = read.float()
        logits, mean, log_std = read.split([CATEGORIES, CONTINUOUS, CONTINUOUS], 1)
        log_std = log_std.clamp(-2.3, 1.0)
        standard = (codes - mean) * torch.exp(-log_std)
        information = -F.cross_entropy(logits, category)
        information = information - (0.5 * standard**2 + log_std).sum(1).mean()
        loss = F.binary_cross_entropy_with_logits(fake_logits.float(), ones) - information
        g_optimizer.zero_grad()
        d_optimizer.zero_grad()
        loss.backward()
        g_optimizer.step()
        d_optimizer.step()
        return float(loss.detach())

    for line in sys.stdin:
        milliseconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            step()
            milliseconds.append(1e3 * (time.perf_counter() - start))
        print(*(f"{ms:.2f}" for ms in milliseconds), flush=True)


if __name__ == "__main__":
    main()
