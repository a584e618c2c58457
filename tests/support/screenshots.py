"""Pictures of widgets, to look at and to check by meaning (this point has that colour)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget


def grab(widget: QWidget, *, width_px: int | None = None, height_px: int | None = None) -> QImage:
    """What `widget` looks like, at 1:1."""
    if width_px is not None and height_px is not None:
        widget.resize(width_px, height_px)
    widget.ensurePolished()
    QApplication.sendPostedEvents()
    return widget.grab().toImage()


def save(
    widget: QWidget, folder: Path, name: str, *, width_px: int | None = None, height_px: int | None = None
) -> Path:
    """Write a PNG of `widget` into `folder` and say where it lies."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.png"
    if not grab(widget, width_px=width_px, height_px=height_px).save(str(target)):
        raise OSError(f"{target} could not be written")
    return target


def colours_in(image: QImage) -> set[str]:
    """Every colour of a picture as `#RRGGBB`."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(plain.constBits(), np.uint32)
    return {f"#{pixel & 0xFFFFFF:06X}" for pixel in np.unique(pixels).tolist()}
