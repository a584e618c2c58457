"""A text as a QR code, black on white whatever the theme: cameras expect it so."""

from __future__ import annotations

import segno
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPixmap

_QUIET_MODULES = 4
"""The white border that ISO/IEC 18004 asks for."""


def qr_picture(text: str, least_px: int) -> QPixmap:
    """A square picture of at least `least_px`, in whole pixels per module; error correction level M."""
    code = segno.make(text, error="m", micro=False)
    rows = [list(row) for row in code.matrix_iter(border=_QUIET_MODULES)]
    size = len(rows)
    image = QImage(size, size, QImage.Format.Format_RGB32)
    image.fill(QColor(Qt.GlobalColor.white))
    for y, row in enumerate(rows):
        for x, is_dark in enumerate(row):
            if is_dark:
                image.setPixelColor(x, y, QColor(Qt.GlobalColor.black))
    scale = max(2, -(-least_px // size))
    return QPixmap.fromImage(image.scaled(size * scale, size * scale))
