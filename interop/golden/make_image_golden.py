"""Writes images and what Pillow and torchvision make of them, for the tests of readers/images.

    python make_image_golden.py ../../readers/images/src/test/resources/images

The expected values of the committed files are those of Pillow 13.0.0 and torchvision 0.29.2.
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from torchvision import transforms

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def picture(width, height):
    """Smooth colours, sharp edges and some noise, the same on every machine."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    red = 255 * x // (width - 1)
    green = 255 * y // (height - 1)
    blue = (x * 37 + y * 101 + x * y * 7) % 256
    image = Image.fromarray(np.stack([red, green, blue], axis=-1).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.rectangle([width // 4, height // 3, width // 2, height - 3], fill=(255, 250, 3))
    draw.line([0, height - 1, width - 1, 0], fill=(0, 0, 0))
    return image


def values(image):
    return np.asarray(image).tobytes().hex()


def main(folder):
    image = picture(23, 17)
    image.save(folder / "rgb.png")
    image.convert("L").save(folder / "grey.png")
    image.quantize(16).save(folder / "palette.png")
    alpha = image.copy()
    alpha.putalpha(Image.linear_gradient("L").resize(image.size))
    alpha.save(folder / "alpha.png")
    image.save(folder / "rgb.jpg", quality=80)
    image.save(folder / "lossy.webp", quality=80)
    image.save(folder / "lossless.webp", lossless=True)
    image.save(folder / "rgb.bmp")

    golden = {"decoded": {}, "resized": [], "pipelines": []}
    for file in sorted(folder.iterdir()):
        if file.suffix != ".json":
            golden["decoded"][file.name] = values(Image.open(file).convert("RGB"))
    golden["grey"] = values(Image.open(folder / "rgb.png").convert("L"))

    source = Image.open(folder / "rgb.png")
    for name, resample in FILTERS.items():
        for width, height in [(7, 5), (23, 6), (9, 17), (31, 20), (1, 1)]:
            golden["resized"].append(
                {
                    "interpolation": name,
                    "width": width,
                    "height": height,
                    "values": values(source.resize((width, height), resample)),
                }
            )

    mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    modes = {
        "bilinear": transforms.InterpolationMode.BILINEAR,
        "bicubic": transforms.InterpolationMode.BICUBIC,
    }
    for name, interpolation, size, crop in [
        ("rgb.png", "bilinear", [12], [10, 10]),
        ("rgb.png", "bicubic", [9], [9, 11]),
        ("rgb.png", "bilinear", [8, 8], [11, 6]),
        ("rgb.jpg", "bicubic", [6, 10], None),
        ("lossy.webp", "bilinear", [5, 5], None),
    ]:
        scale = transforms.Resize(size[0] if len(size) == 1 else size, modes[interpolation])
        steps = [scale] + ([transforms.CenterCrop(crop)] if crop else [])
        steps += [transforms.ToTensor(), transforms.Normalize(mean, std)]
        tensor = transforms.Compose(steps)(Image.open(folder / name).convert("RGB"))
        golden["pipelines"].append(
            {
                "file": name,
                "interpolation": interpolation,
                "size": size,
                "crop": crop,
                "shape": list(tensor.shape),
                "values": [float(value) for value in tensor.reshape(-1)],
            }
        )
    text = json.dumps(golden, separators=(",", ":"))
    (folder / "golden.json").write_text(text.replace("},{", "},\n{") + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
