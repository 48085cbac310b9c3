"""The mean average precision that MeanAveragePrecisionTest expects for its random boxes, by pycocotools 2.0.11.

    python interop/golden/coco_boxes.py
"""
import contextlib
import io

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


class Numbers:
    """The generator of the test: a linear congruential one with the constants of Numerical Recipes."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.state >> 8) % bound


def boxes():
    truths, found = [], []
    for image in range(20):
        random = Numbers(image)
        for _ in range(6):
            left, top = random.below(60), random.below(60)
            width, height = 5 + random.below(35), 5 + random.below(35)
            kind = random.below(3)
            crowd = int(random.below(8) == 0)
            truths.append({"id": len(truths) + 1, "image_id": image + 1, "category_id": kind, "iscrowd": crowd,
                           "bbox": [left, top, width, height], "area": width * height})
            for _ in range(3):
                x, y = left + random.below(9) - 4, top + random.below(9) - 4
                w, h = max(1, width + random.below(9) - 4), max(1, height + random.below(9) - 4)
                guess = random.below(3) if random.below(6) == 0 else kind
                found.append({"image_id": image + 1, "category_id": guess, "bbox": [x, y, w, h],
                              "score": 1 + random.below(100_000)})
    return truths, found


truths, found = boxes()
with contextlib.redirect_stdout(io.StringIO()):
    data = COCO()
    data.dataset = {"images": [{"id": i + 1} for i in range(20)], "annotations": truths,
                    "categories": [{"id": i} for i in range(3)]}
    data.createIndex()
    evaluation = COCOeval(data, data.loadRes(found), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
print(repr(float(evaluation.stats[0])))
