"""Trains a detector that finds handwritten digits on a canvas, and writes it as an ONNX graph, with canvases to evaluate it.

The network is a small CenterNet (Zhou et al., Objects as Points, 2019): it predicts a heat map for each digit and, for each
cell, the distances to the four sides of the box. Peaks are cells that equal the maximum of their 3x3 neighbourhood.

    python examples/digits/make_detector.py OUT_DIR

Needs torch, onnx, onnxscript and scikit-learn. The scans that canvases are drawn from are split as make_digits.py splits them.
"""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SIZE, STRIDE, MOST = 48, 4, 12


def block(inputs, outputs, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class DigitsDetector(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(block(1, 16), block(16, 24, 2), block(24, 40, 2))
        self.body = nn.Sequential(block(40, 40), block(40, 40), block(40, 40))
        self.heat = nn.Sequential(block(40, 32), nn.Conv2d(32, 10, 1))
        self.sides = nn.Sequential(block(40, 32), nn.Conv2d(32, 4, 1))

    def maps(self, x):
        y = self.body(self.stem(x))
        return self.heat(y), F.softplus(self.sides(y)) * STRIDE

    def forward(self, x):
        heat, sides = self.maps(x)
        heat = heat.sigmoid()
        peaks = heat * (F.max_pool2d(heat, 3, 1, 1) == heat).float()
        cells = SIZE // STRIDE
        scores, index = peaks.flatten(1).topk(MOST)
        digit = index // (cells * cells)
        cell = index % (cells * cells)
        center_y = (cell // cells).float() * STRIDE + STRIDE / 2
        center_x = (cell % cells).float() * STRIDE + STRIDE / 2
        chosen = sides.flatten(2).gather(2, cell[:, None].expand(-1, 4, -1))
        left, top, right, bottom = chosen.unbind(1)
        return torch.stack(
            [center_x - left, center_y - top, center_x + right, center_y + bottom, scores, digit.float()], -1)


def canvas(rng, scans, digits):
    """One canvas with 1 to 5 scans that do not overlap, and their boxes."""
    image = rng.uniform(0, 0.15, (SIZE, SIZE)).astype(np.float32)
    boxes = []
    for _ in range(rng.integers(1, 6)):
        side = int(rng.integers(10, 21))
        left, top = (int(v) for v in rng.integers(0, SIZE - side + 1, 2))
        if any(left < b[2] and b[0] < left + side and top < b[3] and b[1] < top + side for b in boxes):
            continue
        chosen = rng.integers(len(scans))
        scan = F.interpolate(torch.tensor(scans[chosen])[None, None], (side, side), mode="bilinear")[0, 0].numpy()
        rows, columns = np.nonzero(scan > 0.2)
        image[top:top + side, left:left + side] = np.maximum(image[top:top + side, left:left + side], scan)
        boxes.append((left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1, digits[chosen]))
    # Whole steps of 1/255, as a picture of 8 bits has them.
    return np.round(image * 255) / np.float32(255), boxes


def canvases(seed, count, scans, digits):
    rng = np.random.default_rng(seed)
    drawn = [canvas(rng, scans, digits) for _ in range(count)]
    images = np.stack([image for image, _ in drawn])[:, None].astype(np.float32)
    labels = np.full((count, 5, 6), -1, np.float32)
    for row, (_, boxes) in zip(labels, drawn):
        for i, box in enumerate(boxes):
            row[i] = (*box, 0)
    return images, labels


def targets(labels):
    """Heat with a Gaussian around each centre, and for the centre's cell the distances to the sides."""
    cells = SIZE // STRIDE
    heat = np.zeros((len(labels), 10, cells, cells), np.float32)
    sides = np.zeros((len(labels), 4, cells, cells), np.float32)
    mask = np.zeros((len(labels), 1, cells, cells), np.float32)
    grid_y, grid_x = np.mgrid[:cells, :cells]
    for n, rows in enumerate(labels):
        for left, top, right, bottom, digit, _ in rows[rows[:, 4] >= 0]:
            x, y = int((left + right) / 2 // STRIDE), int((top + bottom) / 2 // STRIDE)
            spread = np.exp(-((grid_x - x) ** 2 + (grid_y - y) ** 2) / 1.0).astype(np.float32)
            heat[n, int(digit)] = np.maximum(heat[n, int(digit)], spread)
            cx, cy = x * STRIDE + STRIDE / 2, y * STRIDE + STRIDE / 2
            sides[n, :, y, x] = cx - left, cy - top, right - cx, bottom - cy
            mask[n, 0, y, x] = 1
    return torch.tensor(heat), torch.tensor(sides).clamp(min=0.1), torch.tensor(mask)


def loss(model, images, heat, sides, mask):
    logits, found = model.maps(images)
    p = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    centre = (heat == 1).float()
    focal = -(centre * (1 - p) ** 2 * p.log() + (1 - centre) * (1 - heat) ** 4 * p**2 * (1 - p).log()).sum()
    return (focal + 0.3 * ((found - sides).abs() * mask).sum()) / mask.sum()


def main(out):
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    x = (digits.images / 16.0).astype(np.float32)
    x_train, x_test, y_train, y_test = train_test_split(
        x, digits.target, test_size=600, random_state=0, stratify=digits.target)
    models, data = out / "models", out / "data"
    models.mkdir(parents=True, exist_ok=True)
    data.mkdir(exist_ok=True)

    torch.manual_seed(0)
    model = DigitsDetector()
    epochs = 40
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for epoch in range(epochs):
        images, labels = canvases(1000 + epoch, 2000, x_train, y_train)
        heat, sides, mask = targets(labels)
        images = torch.tensor(images)
        total = 0.0
        for batch in torch.randperm(len(images)).split(32):
            optimizer.zero_grad()
            value = loss(model, images[batch], heat[batch], sides[batch], mask[batch])
            value.backward()
            optimizer.step()
            total += value.item()
        schedule.step()
        print(f"epoch {epoch}: loss {total * 32 / len(images):.3f}", flush=True)
    model.eval()

    images, _ = canvases(1, 64, x_train, y_train)
    np.savez_compressed(data / "detector-calibration.npz", input=images)
    images, labels = canvases(2, 200, x_test, y_test)
    np.savez_compressed(data / "detector-test.npz", input=images, label=labels)
    torch.onnx.export(
        model, (torch.tensor(images[:4]),), models / "detector.onnx", input_names=["input"], output_names=["boxes"],
        dynamic_shapes=({0: torch.export.Dim("batch")},), dynamo=True, external_data=False)
    print(f"{sum(p.numel() for p in model.parameters())} parameters")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
