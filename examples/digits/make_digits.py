"""Trains the two digit classifiers and writes them in every format that the example uses, with the scans.

Data: the test set of the UCI "Optical Recognition of Handwritten Digits" (1,797 real 8x8 scans, CC BY 4.0), as scikit-learn
ships it. Needs torch, scikit-learn and safetensors.

    python examples/digits/make_digits.py OUT_DIR

Another version of torch trains other weights, so the files in this folder stay as they are unless all their figures change too.
"""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
from safetensors.torch import save_file


class ResidualBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.act = nn.ReLU()

    def forward(self, x):
        y = self.act(self.bn1(self.conv1(x)))
        return self.act(self.bn2(self.conv2(y)) + x)


class DigitsResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 24, 3, padding=1)
        self.layers = nn.Sequential(ResidualBlock(24), ResidualBlock(24))
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(24 * 64, 64), nn.ReLU(), nn.Linear(64, 10))

    def forward(self, x):
        return self.head(self.layers(self.stem(x)))


class DigitsTransformer(nn.Module):
    """Rows of the image as tokens. nn.MultiheadAttention reads out_proj.weight without calling out_proj."""

    def __init__(self, width=48):
        super().__init__()
        self.patch = nn.Linear(8, width)
        self.position = nn.Embedding(8, width)
        layer = nn.TransformerEncoderLayer(width, 4, 96, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        rows = x.flatten(1).reshape(-1, 8, 8)
        index = torch.arange(8, device=x.device)
        tokens = self.patch(rows) + self.position(index)
        return self.head(self.norm(self.encoder(tokens)).mean(1))


def train(model, x, y, epochs=60):
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
        schedule.step()
    return model.eval()


def main(out):
    models, data = out / "models", out / "data"
    models.mkdir(parents=True, exist_ok=True)
    data.mkdir(exist_ok=True)
    # Here, so that who takes only the networks needs no scikit-learn.
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16.0
    y = torch.tensor(digits.target)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=600, random_state=0, stratify=y)
    np.savez(data / "calibration.npz", input=x_train[:256].numpy())
    np.savez(data / "test.npz", input=x_test.numpy(), label=y_test.numpy().astype(np.int64))
    for name, network in [("resnet", DigitsResNet), ("transformer", DigitsTransformer)]:
        torch.manual_seed(0)
        model = train(network(), x_train, y_train)
        with torch.no_grad():
            logits = model(x_test)
            torch.backends.mha.set_fastpath_enabled(False)
            traced = torch.jit.trace(model, x_test[:4], check_trace=False)
            assert torch.allclose(traced(x_test), logits, atol=1e-4)
            if name == "resnet":
                torch.jit.script(model).save(models / f"{name}_scripted.pt")
            traced.save(models / f"{name}_traced.pt")
        torch.save(model.state_dict(), models / f"{name}.pth")
        save_file(model.state_dict(), models / f"{name}.safetensors")
        right = int((logits.argmax(1) == y_test).sum())
        print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, {right} of {len(y_test)} scans right")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
